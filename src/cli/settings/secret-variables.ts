import { withScheme } from './environment-urls.ts';
import { secretParts } from './secret-parts.ts';
import type { Environment } from './settings.ts';

/** Variables of the environment whose values rules may have sent: by their names, and never seen by anybody else. */
const PREFIX = 'TALON_SECRET_';

/** The value of such a variable; undefined where it is not set, and for every other variable. */
export function secretVariable(name: string, env: Environment): string | undefined {
  return name.startsWith(PREFIX) ? env[name] : undefined;
}

/** Variables that clouds and their tools read, and what they hold nobody else may learn. */
const OF_CLOUDS = ['AWS_SECRET_ACCESS_KEY', 'AWS_SECRET_KEY', 'AWS_SESSION_TOKEN'];
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'];

/** What is secret in the environment, passwords of proxies among it: nothing that is written may hold it. */
export function secretVariables(env: Environment): readonly string[] {
  const own = Object.entries(env).filter(([name]) => name.startsWith(PREFIX) || OF_CLOUDS.includes(name));
  const values = own.map(([, value]) => value ?? '');
  const proxies = PROXIES.map((name) => withScheme(env[name] ?? ''));
  return [...new Set([...values, ...[...values, ...proxies].flatMap(secretParts)])].filter(Boolean);
}
