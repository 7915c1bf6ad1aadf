/** The group `minio` of the settings. */
export interface MinioSettings {
  /** Host and port, without a scheme. */
  readonly endpoint: string;
  readonly access_key: string;
  readonly secret_key: string;
  readonly use_ssl: boolean;
}
