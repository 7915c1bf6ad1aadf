import { DoorError } from '../../model/door-error.ts';
import type { EndpointAddress } from '../../model/targets.ts';

type Headers = Readonly<Record<string, string>>;

/** The value of an environment variable of the server. */
export type SecretOf = (name: string) => string | undefined;

/** Variables of other names are none of the rules' business: they hold the credentials of the server itself. */
const SECRET_NAME = /^TALON_SECRET_[A-Z0-9_]+$/;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Printable characters of Latin-1, and the tab. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** How a message is carried is not for a rule to say: two sides that disagree about it can be made to mix up requests. */
const CARRIAGE = new Set([
  ...['connection', 'content-length', 'expect', 'host', 'keep-alive', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
]);

/**
 * The headers of a request, in lower case: those of the endpoint, over them those that the plug-in wants, and over all the
 * credentials.
 *
 * @param url the login in it counts where the endpoint has none
 * @throws DoorError of code `refused` for what can be no header, and for a secret that the server does not have. Values are
 *   never shown.
 */
export function requestHeaders(endpoint: EndpointAddress, own: Headers, url: URL, secretOf: SecretOf): Headers {
  const headers: Record<string, string> = {};
  const add = (given: Headers) => {
    for (const [name, value] of Object.entries(given)) headers[checkedName(name)] = checkedValue(name, value);
  };
  add(endpoint.headers);
  add(own);
  const authorization = basicLogin(endpoint, url);
  if (authorization !== undefined) add({ authorization });
  add(secretHeaders(endpoint.headersFrom ?? {}, secretOf));
  return headers;
}

function basicLogin({ login }: EndpointAddress, url: URL): string | undefined {
  const [user, password] = login?.user ? [login.user, login.password] : [decoded(url.username), decoded(url.password)];
  return user === '' ? undefined : `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function secretHeaders(from: Headers, secretOf: SecretOf): Headers {
  const found = Object.entries(from).map(([header, variable]) => {
    const value = SECRET_NAME.test(variable) ? secretOf(variable) : undefined;
    if (value) return [header, value] as const;
    throw new DoorError('refused', `the environment variable '${variable}' of the server is not set`);
  });
  return Object.fromEntries(found);
}

function checkedName(name: string): string {
  const lower = name.toLowerCase();
  if (!NAME.test(name)) throw new DoorError('refused', 'a header has a name that cannot be one');
  if (CARRIAGE.has(lower)) throw new DoorError('refused', `the header '${name}' cannot be set`);
  return lower;
}

function checkedValue(name: string, value: string): string {
  if (VALUE.test(value)) return value;
  throw new DoorError('refused', `the header '${name}' has a line break or another character that headers cannot have`);
}
