import type { Environment } from './settings.ts';

/** Variables of the environment whose values rules may have sent: by their names, and never seen by anybody else. */
const PREFIX = 'TALON_SECRET_';

/** The value of such a variable; undefined where it is not set, and for every other variable. */
export function secretVariable(name: string, env: Environment): string | undefined {
  return name.startsWith(PREFIX) ? env[name] : undefined;
}

/** The values of all of them: nothing that is written may hold one. */
export function secretVariables(env: Environment): readonly string[] {
  return Object.entries(env).flatMap(([name, value]) => (name.startsWith(PREFIX) && value ? value : []));
}
