/** `Bearer t`, `Basic dTpw`, `token t`: a scheme, and what shows who somebody is. */
const AUTHORIZATION = /^(\w+) +(\S+)$/;

/**
 * What of a secret text is a secret by itself, since it may come back without the rest: the credentials of an `Authorization` header,
 * the password in a URL, and how user and password go out together.
 */
export function secretParts(text: string): readonly string[] {
  if (/^https?:/i.test(text)) return partsOfUrl(text);
  const [, scheme = '', credentials = ''] = AUTHORIZATION.exec(text) ?? [];
  if (credentials === '') return [];
  return scheme.toLowerCase() === 'basic' ? [credentials, ...partsOfBasic(credentials)] : [credentials];
}

/** What goes out where a user logs in with a password: HTTP joins them with a colon, mail servers get them between NULs; both in base64. */
export function loginParts(user: string, password: string): readonly string[] {
  return password === '' ? [] : [`${user}:${password}`, `\0${user}\0${password}`];
}

function partsOfUrl(text: string): readonly string[] {
  const { username, password } = URL.canParse(text) ? new URL(text) : { username: '', password: '' };
  if (password === '') return [];
  const plain = decoded(password);
  return [password, plain, ...loginParts(decoded(username), plain)];
}

function partsOfBasic(credentials: string): readonly string[] {
  const pair = Buffer.from(credentials, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0 ? [] : [pair, pair.slice(colon + 1)];
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
