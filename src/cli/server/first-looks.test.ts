import { describe, expect, it } from 'vitest';
import type { Door } from '../../model/capability.ts';
import { DoorError } from '../../model/door-error.ts';
import type { StoreTarget } from '../../model/targets.ts';
import { createHttpDoors } from '../../platform/http/http-doors.ts';
import { action, rule } from '../../runtime/test-pipeline.ts';
import { catalog } from '../plugins/catalog.ts';
import { firstLooks } from './first-looks.ts';

const asked: StoreTarget[] = [];
const look = (actions: ReturnType<typeof action>[]) => {
  asked.length = 0;
  const check = async (store: StoreTarget) => {
    asked.push(store);
    if (store.name === 'gone') throw new DoorError('refused', "the bucket 'gone' does not exist");
  };
  const policyProblem = async (door: Door) => (door === 'calico.deny' ? 'there is no Calico' : undefined);
  return firstLooks([rule('R', actions)], catalog, {
    ...{ adapters: { 'stores.check': check }, policyProblem },
    endpointProblem: createHttpDoors({ secretOf: (name) => (name === 'TALON_SECRET_SET' ? 'x' : undefined) }).problemOf,
  });
};
const keep = (target: string, parameters: Record<string, string>, actionner = 'kubernetes:log') =>
  action(target, { actionner, output: { target, parameters } });

describe('firstLooks', () => {
  it('warns of a bucket that is not there, and asks for each once', async () => {
    const gone = { bucket: 'gone', prefix: 'p' };
    const lines = await look([keep('aws:s3', gone), keep('aws:s3', gone), keep('minio:s3', { bucket: 'there' })]);
    expect(lines).toEqual([
      {
        level: 'warn',
        message: 'init',
        fields: {
          category: 'aws',
          output_target: 'aws:s3',
          status: 'failure',
          error: "the bucket 'gone' does not exist",
        },
      },
    ]);
    expect(asked.map(({ category, name }) => [category, name])).toEqual([
      ['aws', 'gone'],
      ['minio', 'there'],
    ]);
  });

  it('asks for no folder that an alert has a part in, and for no store that is not used', async () => {
    const lines = await look([
      keep('local:file', { destination: '/var/log/$K8S_NS_NAME' }),
      keep('aws:s3', { bucket: 'gone' }, 'kubernetes:label'),
    ]);
    expect([lines, asked]).toEqual([[], []]);
    await look([keep('local:file', { destination: '/var/log' })]);
    expect(asked).toHaveLength(1);
  });

  it('warns of policies that the API server does not know', async () => {
    const lines = await look([action('Deny', { actionner: 'calico:networkpolicy' })]);
    expect(lines.map(({ fields }) => fields?.error)).toEqual(['there is no Calico']);
  });

  it('warns of endpoints to which nothing can be sent', async () => {
    const call = (url: string, variable = 'TALON_SECRET_SET') =>
      action('Call', { actionner: 'webhook:call', parameters: { url, secret_headers: { Authorization: variable } } });
    expect(await look([call('https://tickets.example.org/')])).toEqual([]);
    expect(await look([call('https://tickets.example.org/', 'TALON_SECRET_UNSET')])).toEqual([
      {
        ...{ level: 'warn', message: 'init' },
        fields: {
          ...{ category: 'webhook', rule: 'R', action: 'Call', status: 'failure' },
          error: "the environment variable 'TALON_SECRET_UNSET' of the server is not set",
        },
      },
    ]);
    const [line] = await look([call('http://2852039166/latest/meta-data')]);
    expect(line?.fields?.error).toMatch(/^nothing is sent to '169\.254\.169\.254': its address is that of a metadata/);
  });
});
