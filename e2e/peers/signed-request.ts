import { createHash, createHmac } from 'node:crypto';

/** A request to a service of AWS, or to one that speaks its language. */
export interface AwsRequest {
  readonly method: string;
  /** Path and query in their percent-encoded form; the parameters of the query in alphabetical order. */
  readonly url: URL;
  readonly service: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface AwsKeys {
  readonly accessKey: string;
  readonly secretKey: string;
}

const REGION = 'us-east-1';

/** Sends a request signed with Signature Version 4. It shares nothing with the product, whose own signatures are tested. */
export function signedRequest({ accessKey, secretKey }: AwsKeys, request: AwsRequest): Promise<Response> {
  const { method, url, service, body = '' } = request;
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${time.slice(0, 8)}/${REGION}/${service}/aws4_request`;
  const bodyHash = sha256(body);
  const headers: Record<string, string> = {
    ...request.headers,
    host: url.host,
    'x-amz-content-sha256': bodyHash,
    'x-amz-date': time,
  };
  const names = Object.keys(headers).sort();
  const signedNames = names.join(';');
  const canonical = [
    method,
    url.pathname,
    url.search.slice(1),
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    signedNames,
    bodyHash,
  ].join('\n');
  const key = ['aws4_request', service, REGION, time.slice(0, 8)].reduceRight<Buffer | string>(
    hmac,
    `AWS4${secretKey}`,
  );
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')).toString('hex');
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${signedNames}, Signature=${signature}`;
  // `fetch` sets the host itself, to the same.
  const { host: _, ...sent } = headers;
  return fetch(url, { method, headers: sent, ...(method === 'GET' ? {} : { body }) });
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
