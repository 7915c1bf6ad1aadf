import { expect, it } from 'vitest';
import { checkEnvironmentUrls, withScheme } from './environment-urls.ts';

it.each([
  ['AWS_ENDPOINT_URL', 'localhost:5000'],
  ['AWS_ENDPOINT_URL_S3', 'http://[::'],
  ['AWS_ENDPOINT_URL_STS', 'http://'],
  ['AWS_EC2_METADATA_SERVICE_ENDPOINT', '169.254.169.254'],
  ['CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDFUNCTIONS', 'ftp://functions.example.org'],
  ['STORAGE_EMULATOR_HOST', 'gcs:99999'],
  ['HTTPS_PROXY', 'http://user:a-password@proxy.example.org:99999'],
  ['http_proxy', '[::'],
])('refuses what %s has as no URL: %s', (name, value) => {
  expect(() => checkEnvironmentUrls({ [name]: value })).toThrow(
    expect.objectContaining({
      ...{ code: 'config', message: `the environment variable '${name}' is no http or https URL` },
    }),
  );
});

it('lets good ones pass, and looks at no others', () => {
  const env = {
    ...{ AWS_ENDPOINT_URL: 'http://localhost:5000', AWS_ENDPOINT_URL_S3: '', STORAGE_EMULATOR_HOST: 'gcs:4443' },
    ...{ HTTP_PROXY: 'proxy:3128', https_proxy: 'socks5://proxy:1080', MY_ENDPOINT_URL: 'nonsense' },
  };
  expect(() => checkEnvironmentUrls(env)).not.toThrow();
});

it('takes host and port for HTTP', () => {
  expect(['', 'proxy:3128', 'https://proxy'].map(withScheme)).toEqual(['', 'http://proxy:3128', 'https://proxy']);
});
