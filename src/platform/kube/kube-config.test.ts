import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadKubeConfig } from './kube-config.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'talon-kubeconfig-'));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  vi.unstubAllEnvs();
});

function write(name: string, content: string | object): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

function config({
  cluster = {},
  user = {},
  current = 'one',
}: {
  cluster?: object;
  user?: object;
  current?: string;
} = {}) {
  return {
    clusters: [
      { name: 'one', cluster: { server: 'https://one.example:6443', ...cluster } },
      { name: 'two', cluster: { server: 'https://two.example:6443' } },
    ],
    users: [{ name: 'u', user: { token: 'secret', ...user } }],
    contexts: [
      { name: 'one', context: { cluster: 'one', user: 'u' } },
      { name: 'two', context: { cluster: 'two', user: 'u' } },
      { name: 'lost', context: { cluster: 'three', user: 'u' } },
    ],
    'current-context': current,
  };
}

const serverOf = (kubeconfig: string) => loadKubeConfig({ kubeconfig }).getCurrentCluster()?.server;
function refusal(load: () => unknown): unknown {
  try {
    load();
  } catch (error) {
    return error;
  }
  return 'no refusal';
}

describe('a kubeconfig file', () => {
  it.each(['one', 'two'])('counts with its current context: %s', (current) => {
    expect(serverOf(write(current, config({ current })))).toBe(`https://${current}.example:6443`);
  });

  it('is found in the home folder', () => {
    write('home/.kube/config', config());
    vi.stubEnv('HOME', path.join(folder, 'home'));
    expect(serverOf('~/.kube/config')).toBe('https://one.example:6443');
  });

  it('may name a server without TLS', () => {
    const file = write('plain', config({ cluster: { server: 'http://127.0.0.1:8001' } }));
    expect(loadKubeConfig({ kubeconfig: file }).getCurrentCluster()).toMatchObject({ server: 'http://127.0.0.1:8001' });
  });

  it.each<[string, string | object, string]>([
    ['is no YAML', 'clusters: {not a list', 'error loading the kubeconfig'],
    ['is empty', '', 'error loading the kubeconfig'],
    ['has another shape', 'clusters: 5', 'names no cluster or no user'],
    ['has no such context', config({ current: 'absent' }), 'names no cluster or no user'],
    ['has no such cluster', config({ current: 'lost' }), 'names no cluster or no user'],
    ['has no current context', { ...config(), 'current-context': undefined }, 'names no cluster or no user'],
    [
      'has certificates that are none',
      config({ user: { 'client-certificate-data': 'eHg=', 'client-key-data': 'eHg=' } }),
      "can't be used",
    ],
    [
      'names certificates that are not there',
      config({ cluster: { 'certificate-authority': 'absent.crt' } }),
      'no such file or directory',
    ],
    ['names a server that is no URL', config({ cluster: { server: 'https://api.test:port' } }), 'is no URL'],
    ['names a server without a scheme', config({ cluster: { server: 'api.test:6443' } }), 'is no URL'],
    ['names a SOCKS proxy', config({ cluster: { 'proxy-url': 'socks5://127.0.0.1:1080' } }), 'SOCKS proxy'],
  ])('that %s is refused', (_, content, message) => {
    const file = write('bad', content);
    const error = refusal(() => loadKubeConfig({ kubeconfig: file }));
    expect(error).toMatchObject({ name: 'TalonError', code: 'actionners', message: expect.stringContaining(message) });
  });

  it('that is broken is not quoted: there may be a token in it', () => {
    const file = write('torn', 'users:\n- name: u\n  user:\n    token: "my-secret-token\n    x: [');
    const error = refusal(() => loadKubeConfig({ kubeconfig: file }));
    expect(String(error)).toContain(file);
    expect(String(error)).not.toContain('my-secret');
  });

  it('that is absent is named', () => {
    const file = path.join(folder, 'absent');
    expect(refusal(() => loadKubeConfig({ kubeconfig: file }))).toMatchObject({
      message: `open ${file}: no such file or directory`,
    });
  });
});

describe('in a pod', () => {
  const inPod = (more: object = {}) =>
    loadKubeConfig({
      kubeconfig: '',
      serviceHost: '10.0.0.1',
      servicePort: '443',
      serviceAccountFolder: path.join(folder, 'serviceaccount'),
      ...more,
    });

  it.each([{ serviceHost: undefined }, { servicePort: undefined }, { serviceHost: '' }])('%j is no pod', (more) => {
    expect(refusal(() => inPod(more))).toMatchObject({
      name: 'TalonError',
      code: 'actionners',
      message:
        'unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined',
    });
  });

  it('the files of the service account are needed', () => {
    expect(refusal(() => inPod())).toMatchObject({
      message: `open ${path.join(folder, 'serviceaccount', 'token')}: no such file or directory`,
    });
  });

  it('the service account counts', async () => {
    write('serviceaccount/token', 'the-token\n');
    write('serviceaccount/ca.crt', '');
    const loaded = inPod();
    expect(loaded.getCurrentCluster()?.server).toBe('https://10.0.0.1:443');
    const options: { headers?: Record<string, string> } = {};
    await loaded.applyToHTTPSOptions(options);
    expect(options.headers?.Authorization?.trim()).toBe('Bearer the-token');
    expect(inPod({ serviceHost: 'fd00::1' }).getCurrentCluster()?.server).toBe('https://[fd00::1]:443');
  });
});
