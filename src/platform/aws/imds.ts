import { request } from 'undici';
import type { ContextAnswer } from '../../model/context-sources.ts';

const ENDPOINT = 'http://169.254.169.254';
const TOKEN_PATH = '/latest/api/token';
const PROFILE_PATH = '/latest/meta-data/iam/info';
const IDENTITY_PATH = '/latest/dynamic/instance-identity/document';
/** Milliseconds for one request: the service is on the same machine. */
const ANSWER = 1_000;
const MOST_BYTES = 64 * 1024;
const LONGEST_VALUE = 2_048;

/**
 * What the instance that this process runs on says of itself (instance metadata service, version 2): the profile of the
 * instance and its region. What one of them cannot be told for does not keep the other back.
 *
 * @param endpoint if not the usual one; null where it must not be asked
 */
export async function instanceContext(
  endpoint: string | null | undefined,
  signal: AbortSignal,
): Promise<ContextAnswer> {
  if (endpoint === null) return { values: new Map(), problems: ['the instance metadata service is disabled'] };
  const ask = (method: 'GET' | 'PUT', path: string, headers: Record<string, string>) =>
    askService(endpoint ?? ENDPOINT, { method, path, headers }, signal);
  try {
    const token = await ask('PUT', TOKEN_PATH, { 'x-aws-ec2-metadata-token-ttl-seconds': '60' });
    const headers = { 'x-aws-ec2-metadata-token': token.trim() };
    const [profile, identity] = await Promise.allSettled([
      ask('GET', PROFILE_PATH, headers).then((text) => readRecord(PROFILE_PATH, text)),
      ask('GET', IDENTITY_PATH, headers).then((text) => readRecord(IDENTITY_PATH, text)),
    ]);
    return answerOf(profile, identity);
  } catch (error) {
    return { values: new Map(), problems: [(error as Error).message] };
  }
}

type Record_ = Readonly<Record<string, unknown>>;

function answerOf(profile: PromiseSettledResult<Record_>, identity: PromiseSettledResult<Record_>): ContextAnswer {
  const ofProfile = profile.status === 'fulfilled' ? profile.value : {};
  const ofIdentity = identity.status === 'fulfilled' ? identity.value : {};
  const found: readonly (readonly [string, unknown])[] = [
    ['aws.instance_profile_arn', ofProfile.InstanceProfileArn],
    ['aws.instance_profile_id', ofProfile.InstanceProfileId],
    ['aws.region', ofIdentity.region],
  ];
  const values = found.filter(
    (each): each is readonly [string, string] =>
      typeof each[1] === 'string' && each[1] !== '' && each[1].length <= LONGEST_VALUE,
  );
  const problems = [profile, identity].flatMap((each) =>
    each.status === 'rejected' ? [(each.reason as Error).message] : [],
  );
  return { values: new Map(values), problems };
}

interface Question {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly headers: Record<string, string>;
}

/** The body of a good answer. @throws Error with a text for people */
async function askService(endpoint: string, { method, path, headers }: Question, signal: AbortSignal): Promise<string> {
  const controller = new AbortController();
  const giveUp = () => controller.abort();
  const timer = setTimeout(giveUp, ANSWER);
  signal.addEventListener('abort', giveUp, { once: true });
  const failed = (reason: string) => new Error(`the instance metadata service: ${method} ${path}: ${reason}`);
  try {
    if (signal.aborted) throw new Error('given up');
    const url = `${endpoint.replace(/\/+$/, '')}${path}`;
    const { statusCode, body } = await request(url, { method, headers, signal: controller.signal });
    const text = await readSome(body);
    if (statusCode !== 200) throw new Error(`status ${statusCode}`);
    return text;
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    throw failed(controller.signal.aborted ? `no answer within ${ANSWER} ms` : message || code || 'no answer');
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

async function readSome(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readRecord(path: string, text: string): Record_ {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record_;
  } catch {
    // Said below.
  }
  throw new Error(`the instance metadata service: GET ${path}: an answer that cannot be read`);
}
