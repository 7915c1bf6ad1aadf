import { isHttpUrl } from '../../model/http-url.ts';
import { TalonError } from '../../model/talon-error.ts';
import type { Environment } from './settings.ts';

/** Variables that lead to other services than usual, as the tools of the clouds read them. */
const SERVICE =
  /^(AWS_ENDPOINT_URL(_[A-Z0-9_]+)?|AWS_EC2_METADATA_SERVICE_ENDPOINT|CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDFUNCTIONS)$/;
/** Those that may leave the scheme out. */
const HOST = /^(STORAGE_EMULATOR_HOST|https?_proxy|HTTPS?_PROXY)$/;
/** What a proxy may speak beside HTTP. */
const SOCKS = /^socks5?:/i;

/**
 * Looks at the URLs that stand in the environment, so that nobody hears of a bad one with the first alert. Their values are not shown:
 * passwords may be in them.
 *
 * @throws TalonError of code `config` that names the variable
 */
export function checkEnvironmentUrls(env: Environment): void {
  for (const [name, value = ''] of Object.entries(env)) {
    const url = SERVICE.test(name) ? value : HOST.test(name) ? withScheme(value).replace(SOCKS, 'http:') : '';
    if (url === '' || isHttpUrl(url)) continue;
    throw new TalonError('config', `the environment variable '${name}' is no http or https URL`);
  }
}

/** Where only host and port are named, HTTP is meant. Empty stays empty. */
export function withScheme(value: string): string {
  return value === '' || /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
}
