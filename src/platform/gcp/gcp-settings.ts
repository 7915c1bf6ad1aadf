/** Who Talon is to Google Cloud, and where that is. */
export interface GcpSettings {
  /** Path of a credentials file, or its content. Empty: the default credentials. */
  readonly credentials_path: string;
  /** Empty: that of the credentials. */
  readonly project_id: string;
  /** Functions that may be called, as `location/name`; none: all. */
  readonly allowed_functions?: readonly string[] | undefined;
  /** A server that stands in for Cloud Storage. It is asked without credentials, and none are needed then. */
  readonly storageEmulator?: string | undefined;
  /** Where Cloud Functions are asked for, if not at Google. */
  readonly functionsEndpoint?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Adds what the environment says, as Google's own tools read it: `GOOGLE_CLOUD_PROJECT`, `STORAGE_EMULATOR_HOST` (a URL, or
 * host and port) and `CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDFUNCTIONS` (a URL).
 */
export function gcpSettings(
  {
    credentials_path,
    project_id,
    allowed_functions,
  }: Pick<GcpSettings, 'credentials_path' | 'project_id' | 'allowed_functions'>,
  environment: Environment,
): GcpSettings {
  const emulator = environment.STORAGE_EMULATOR_HOST;
  return {
    credentials_path,
    allowed_functions,
    project_id: project_id || environment.GOOGLE_CLOUD_PROJECT || '',
    storageEmulator: emulator && (/^https?:/.test(emulator) ? emulator : `http://${emulator}`),
    functionsEndpoint: environment.CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDFUNCTIONS,
  };
}
