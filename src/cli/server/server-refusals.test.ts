import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ServerWorld } from './server-world.ts';

describe('runServer does not start', () => {
  const world = new ServerWorld();

  it('with a configuration that it cannot read', async () => {
    const { code, text } = await world.refused({ settings: { listen_port: 'many' }, env: { NO_COLOR: '1' } });
    expect(code).toBe(1);
    expect(text).toMatch(/^\S+ FTL config error="error unmarshalling config file: 'decoding failed/);
  });

  it('with invalid rules, which it draws', async () => {
    const { code, lines, drawn } = await world.refused({ rules: '- rule: A\n  match: {priority: nope}\n' });
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatchObject({ level: 'fatal', message: 'rules', error: 'invalid rules' });
    expect(lines.filter(({ level }) => level === 'error').length).toBeGreaterThan(0);
    expect(drawn).toMatch(/rules\.yaml:\d+:\d+/);
  });

  it('without credentials for the cluster', async () => {
    const { code, lines } = await world.refused({ settings: { kubeconfig: '' } });
    const error =
      'unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined';
    expect(code).toBe(1);
    expect(lines).toMatchObject([
      { level: 'error', message: 'init', category: 'kubernetes', status: 'failure', error },
      { level: 'fatal', message: 'actionners', error },
    ]);
  });

  it('in Kubernetes while a leader is to be elected', async () => {
    const { code, lines } = await world.refused({
      settings: { deduplication: {} },
      env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' },
    });
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatchObject({
      level: 'fatal',
      message: 'lease',
      error: expect.stringContaining('deduplication.leader_election'),
    });
  });

  it('with settings of the entrance that do not do, and shows no secret', async () => {
    const { code, text } = await world.refused({
      settings: { auth: { secret_paths: ['/hush'] } },
      env: { NO_COLOR: '1' },
    });
    expect(code).toBe(1);
    expect(text).toMatch(/FTL config error="'auth\.secret_paths\[0\]' is not usable/);
    expect(text).not.toContain('hush');
  });

  it('without a journal', async () => {
    const file = path.join(world.folder, 'kubeconfig', 'journal.db');
    const { code, lines } = await world.refused({
      settings: { journal: { path: file }, spool: { path: path.join(world.folder, 'spool') } },
    });
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatchObject({ level: 'fatal', message: 'journal', error: expect.stringContaining(file) });
  });

  it('while another server has the journal', async () => {
    await world.start();
    const { code, lines } = await world.refused({});
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatchObject({ level: 'fatal', message: 'journal' });
  });

  it('with wrong policies, which it names, nor with policies beside a bundle', async () => {
    const policies = path.join(world.folder, 'policies.yaml');
    writeFileSync(policies, '- policy: A\n');
    const first = await world.refused({ policiesFlags: [policies] });
    expect(first.code).toBe(1);
    expect(first.lines).toMatchObject([
      { level: 'error', message: 'policies', error: expect.stringContaining(`${policies}:1:`) },
      { level: 'fatal', message: 'policies', error: 'invalid policies' },
    ]);
    const second = await world.refused({ policiesFlags: [policies], bundleFile: policies });
    expect(second.lines).toMatchObject([{ level: 'fatal', message: 'policies' }]);
  });

  it('when the address is taken', async () => {
    const { port } = world;
    const { code, lines } = await world.refused({ settings: { listen_port: port } });
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatchObject({
      level: 'fatal',
      message: 'http',
      error: `listen tcp 127.0.0.1:${port}: bind: address already in use`,
    });
  });

  it.each([
    ['missing.tar.gz', undefined, /no such file or directory/],
    ['broken.tar.gz', 'nonsense', /the bundle is refused/],
  ])('with the bundle %s', async (name, content, error) => {
    const bundleFile = path.join(world.folder, name);
    if (content !== undefined) writeFileSync(bundleFile, content);
    const { code, lines } = await world.refused({ bundleFile });
    expect(code).toBe(1);
    expect(lines.at(-1)?.error).toMatch(error);
  });
});
