import type { KubeCredentials } from './kube-api.ts';

/** The text of a kubeconfig file with one cluster and one user. JSON, which every reader of YAML takes. */
export function kubeconfig(server: string, { ca, cert, key, token }: KubeCredentials): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const user = {
    ...(token === undefined ? {} : { token }),
    ...(cert === undefined ? {} : { 'client-certificate-data': base64(cert) }),
    ...(key === undefined ? {} : { 'client-key-data': base64(key) }),
  };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'e2e', cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: 'user', user }],
    contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: 'user' } }],
    'current-context': 'e2e',
  });
}
