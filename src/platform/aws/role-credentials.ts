import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts';

/** Credentials in the form of the SDK. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** Milliseconds before their end at which credentials are renewed. */
const EARLY = 300_000;

/**
 * The credentials of a role, asked for when they are first needed and again before they end. All clients share them: at most
 * one request is under way. While the old ones are good, a failed renewal does no harm.
 *
 * @param client whose own credentials may assume the role
 */
export function roleCredentials(
  client: STSClient,
  { role_arn, external_id }: { readonly role_arn: string; readonly external_id: string },
): () => Promise<Credentials> {
  let current: Credentials | undefined;
  let asked: Promise<Credentials> | undefined;
  const left = () => (current?.expiration?.getTime() ?? 0) - Date.now();
  const assume = async () => {
    const { Credentials: given } = await client.send(
      new AssumeRoleCommand({
        RoleArn: role_arn,
        RoleSessionName: `talon-${Date.now()}`,
        ...(external_id && { ExternalId: external_id }),
      }),
    );
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken, Expiration } = given ?? {};
    if (!AccessKeyId || !SecretAccessKey) throw new Error(`no credentials came for the role ${role_arn}`);
    return {
      ...{ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey },
      ...(SessionToken && { sessionToken: SessionToken }),
      ...(Expiration && { expiration: Expiration }),
    };
  };
  return async () => {
    if (current && left() > EARLY) return current;
    asked ??= assume().finally(() => {
      asked = undefined;
    });
    try {
      current = await asked;
    } catch (error) {
      if (!current || left() <= 0) throw error;
    }
    return current;
  };
}

/** Whether the identity that STS tells (`arn:aws:sts::1:assumed-role/name/session`) is that role already. */
export function isRole(identity: string, role: string): boolean {
  const [, partition, , , account, resource = ''] = identity.split(':');
  const [, ofPartition, , , ofAccount, path = ''] = role.split(':');
  const [kind, name] = resource.split('/');
  const same = partition === ofPartition && account === ofAccount;
  return same && kind === 'assumed-role' && path.startsWith('role/') && name === path.split('/').at(-1);
}
