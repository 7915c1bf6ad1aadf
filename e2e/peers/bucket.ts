import { bodyDigest } from './body-digest.ts';
import { type AwsKeys, signedRequest } from './signed-request.ts';

/** An object as the store gives it back. */
export interface StoredObject {
  readonly content: Buffer;
  readonly contentType: string | null;
  /** What was stored with it, without the prefix of the header names. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A bucket of an S3 store, seen from the side of whoever reads what was stored. */
export class Bucket {
  readonly name: string;
  readonly #endpoint: string;
  readonly #keys: AwsKeys;

  private constructor(endpoint: string, name: string, keys: AwsKeys) {
    this.#endpoint = endpoint;
    this.name = name;
    this.#keys = keys;
  }

  /** Makes the bucket. */
  static async make(endpoint: string, name: string, keys: AwsKeys): Promise<Bucket> {
    const bucket = new Bucket(endpoint, name, keys);
    await bucket.#must('PUT', '');
    return bucket;
  }

  /** The keys of all its objects, in order; a thousand of them at most. */
  async keys(): Promise<readonly string[]> {
    const listing = await (await this.#must('GET', '?list-type=2')).text();
    return [...listing.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => key);
  }

  async get(key: string): Promise<StoredObject> {
    const response = await this.#must('GET', `/${encode(key)}`);
    const metadata = [...response.headers].filter(([name]) => name.startsWith('x-amz-meta-'));
    return {
      content: Buffer.from(await response.arrayBuffer()),
      contentType: response.headers.get('content-type'),
      metadata: Object.fromEntries(metadata.map(([name, value]) => [name.slice('x-amz-meta-'.length), value])),
    };
  }

  /** SHA-256 of the content, for objects too large to be held. */
  async digest(key: string): Promise<string> {
    return bodyDigest(await this.#must('GET', `/${encode(key)}`));
  }

  async put(key: string, content: string): Promise<void> {
    await this.#must('PUT', `/${encode(key)}`, content);
  }

  async #must(method: string, path: string, body?: string): Promise<Response> {
    const url = new URL(`${this.#endpoint}/${this.name}${path}`);
    const request = { method, url, service: 's3', ...(body === undefined ? {} : { body }) };
    const response = await signedRequest(this.#keys, request);
    if (!response.ok)
      throw new Error(`${method} ${url} was answered with ${response.status}: ${await response.text()}`);
    return response;
  }
}

function encode(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}
