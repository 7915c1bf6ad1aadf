import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import { boundAnswers, boundStack } from '../s3/bound-answers.ts';
import { NO_LOG } from '../s3/no-log.ts';
import type { AwsSettings } from './aws-settings.ts';
import { type Credentials, isRole, roleCredentials } from './role-credentials.ts';

/** Clients with credentials that worked when they were made. */
export interface AwsSession {
  readonly lambda: LambdaClient;
  /** @param region empty: the one of the settings */
  s3(region: string): S3Client;
  close(): void;
}

/** Milliseconds. */
const CONNECT = 5_000;
const ANSWER = 10_000;
const SILENCE = 60_000;

/** For questions that are answered at once. */
const QUICK = {
  logger: NO_LOG,
  maxAttempts: 2,
  requestHandler: { connectionTimeout: CONNECT, requestTimeout: ANSWER, throwOnRequestTimeout: true },
};
/** For what may take long: the step has a deadline. Whoever asks tries again, so the SDK need not. */
const LONG = { logger: NO_LOG, maxAttempts: 1, requestHandler: { connectionTimeout: CONNECT, socketTimeout: SILENCE } };
/** A function may be silent for as long as it works. */
const SILENT = { logger: NO_LOG, maxAttempts: 1, requestHandler: { connectionTimeout: CONNECT } };

/**
 * Finds the credentials, assumes the role where there is one to assume, and asks STS who that is.
 *
 * @throws what the SDK throws
 */
export async function openAwsSession(settings: AwsSettings): Promise<AwsSession> {
  const region = settings.region && { region: settings.region };
  const own = ownCredentials(settings);
  const sts = boundAnswers(new STSClient({ ...QUICK, ...region, credentials: own }));
  const credentials = await checkedCredentials(sts, own, settings);
  const buckets = new Map<string, S3Client>();
  const lambda = boundAnswers(new LambdaClient({ ...SILENT, ...region, credentials }));
  const bucketsIn = (of: string) =>
    boundAnswers(
      new S3Client({
        ...LONG,
        ...(of ? { region: of } : region),
        credentials,
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
      }),
    );
  return {
    lambda,
    s3: (of) => {
      const client = buckets.get(of) ?? bucketsIn(of);
      buckets.set(of, client);
      return client;
    },
    close: () => {
      for (const client of [sts, lambda, ...buckets.values()]) client.destroy();
    },
  };
}

type CredentialSource = () => Promise<Credentials>;

async function checkedCredentials(
  sts: STSClient,
  own: CredentialSource,
  settings: AwsSettings,
): Promise<CredentialSource> {
  const { Arn = '' } = await sts.send(new GetCallerIdentityCommand({}));
  // In a cluster of AWS the role of the service account stands in `AWS_ROLE_ARN`, and may not be allowed to assume itself.
  if (!settings.role_arn || isRole(Arn, settings.role_arn)) return own;
  const ofRole = roleCredentials(sts, settings);
  const ofRegion = settings.region && { region: settings.region };
  const asRole = boundAnswers(new STSClient({ ...QUICK, ...ofRegion, credentials: ofRole }));
  await asRole.send(new GetCallerIdentityCommand({})).finally(() => asRole.destroy());
  return ofRole;
}

function ownCredentials({ access_key, secret_key, region, legacyCredentials }: AwsSettings): CredentialSource {
  if (access_key && secret_key && region) return async () => ({ accessKeyId: access_key, secretAccessKey: secret_key });
  if (legacyCredentials) return async () => legacyCredentials;
  return fromNodeProviderChain({
    ...{ timeout: 1_000, maxRetries: 1, clientPlugins: [{ applyToStack: (stack) => boundStack(stack) }] },
    ...(region && { clientConfig: { region } }),
  });
}
