/** Who Talon is to AWS: the group `aws` of the settings, and what the environment says beside that. */
export interface AwsSettings {
  /** With these two and the region they are the credentials; otherwise the SDK looks for some where it always does. */
  readonly access_key: string;
  readonly secret_key: string;
  /** Empty: the SDK looks for one. */
  readonly region: string;
  /** A role to act in. Empty: none. */
  readonly role_arn: string;
  readonly external_id: string;
  /** Functions that may be invoked; none: all. */
  readonly allowed_functions?: readonly string[] | undefined;
  /** Credentials under names that the SDK for JavaScript does not know, where there are none under those that it does. */
  readonly legacyCredentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  /** Where instances learn about themselves, if not where they always do. Null: nowhere. */
  readonly metadataEndpoint?: string | null | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;
type AwsGroup = Pick<
  AwsSettings,
  'access_key' | 'secret_key' | 'region' | 'role_arn' | 'external_id' | 'allowed_functions'
>;

/**
 * Adds what the environment says: the old names `AWS_ACCESS_KEY` and `AWS_SECRET_KEY`, which Falco Talon's SDK reads as well;
 * `AWS_DEFAULT_REGION` likewise; `AWS_EC2_METADATA_SERVICE_ENDPOINT` and `AWS_EC2_METADATA_DISABLED`.
 */
export function awsSettings(group: AwsGroup, environment: Environment): AwsSettings {
  const accessKeyId = environment.AWS_ACCESS_KEY_ID || environment.AWS_ACCESS_KEY;
  const secretAccessKey = environment.AWS_SECRET_ACCESS_KEY || environment.AWS_SECRET_KEY;
  const known = environment.AWS_ACCESS_KEY_ID && environment.AWS_SECRET_ACCESS_KEY;
  const disabled = environment.AWS_EC2_METADATA_DISABLED?.toLowerCase() === 'true';
  const { access_key, secret_key, role_arn, external_id, allowed_functions } = group;
  return {
    ...{ access_key, secret_key, role_arn, external_id, allowed_functions },
    region: group.region || environment.AWS_REGION || environment.AWS_DEFAULT_REGION || '',
    ...(!known && accessKeyId && secretAccessKey && { legacyCredentials: { accessKeyId, secretAccessKey } }),
    metadataEndpoint: disabled ? null : environment.AWS_EC2_METADATA_SERVICE_ENDPOINT || undefined,
  };
}
