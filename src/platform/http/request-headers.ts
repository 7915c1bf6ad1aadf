import { DoorError } from '../../model/door-error.ts';
import { headerProblem } from '../../model/http-header.ts';
import type { EndpointAddress } from '../../model/targets.ts';

type Headers = Readonly<Record<string, string>>;

/** The value of an environment variable of the server. */
export type SecretOf = (name: string) => string | undefined;

/** Variables of other names are none of the rules' business: they hold the credentials of the server itself. */
const SECRET_NAME = /^TALON_SECRET_[A-Z0-9_]+$/;

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
    for (const [name, value] of Object.entries(given)) {
      const problem = headerProblem(name, value);
      if (problem !== undefined) throw new DoorError('refused', problem);
      headers[name.toLowerCase()] = value;
    }
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
