import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PeerReply, RecordingPeer, type SeenRequest } from '../recording-peer.ts';
import { instanceContext } from './imds.ts';

const peer = new RecordingPeer();
beforeAll(() => peer.start());
afterAll(() => peer.stop());

const { signal } = new AbortController();
const TOKEN = 'PUT /latest/api/token';
const PROFILE = 'GET /latest/meta-data/iam/info';
const IDENTITY = 'GET /latest/dynamic/instance-identity/document';
const PROFILE_BODY =
  '{"Code":"Success","InstanceProfileArn":"arn:aws:iam::1:instance-profile/p","InstanceProfileId":"AIPA1"}';
const GOOD: Readonly<Record<string, PeerReply>> = {
  [TOKEN]: { status: 200, body: 'the-token' },
  [PROFILE]: { status: 200, body: PROFILE_BODY },
  [IDENTITY]: { status: 200, body: '{"region":"eu-west-1","accountId":"1"}' },
};

function ask(changed: Readonly<Record<string, PeerReply>> = {}, until = signal) {
  const replies = { ...GOOD, ...changed };
  peer.reply(({ line, headers }: SeenRequest) => {
    if (line !== TOKEN && headers['x-aws-ec2-metadata-token'] !== 'the-token') return { status: 401 };
    return replies[line] ?? { status: 404 };
  });
  return instanceContext(`${peer.url}/`, until);
}

const OF_PROFILE = [
  ['aws.instance_profile_arn', 'arn:aws:iam::1:instance-profile/p'],
  ['aws.instance_profile_id', 'AIPA1'],
] as const;

describe('the context aws', () => {
  it('tells profile and region, with a token of version 2', async () => {
    expect(await ask()).toEqual({ problems: [], values: new Map([...OF_PROFILE, ['aws.region', 'eu-west-1']]) });
    expect(peer.seen[0]?.headers['x-aws-ec2-metadata-token-ttl-seconds']).toBe('60');
  });

  it('keeps what it knows when the rest is not to be had', async () => {
    expect(await ask({ [PROFILE]: { status: 404 } })).toEqual({
      problems: ['the instance metadata service: GET /latest/meta-data/iam/info: status 404'],
      values: new Map([['aws.region', 'eu-west-1']]),
    });
    expect(await ask({ [IDENTITY]: { status: 200, body: 'no JSON' } })).toEqual({
      problems: [
        'the instance metadata service: GET /latest/dynamic/instance-identity/document: an answer that cannot be read',
      ],
      values: new Map(OF_PROFILE),
    });
  });

  it('leaves out what is no text, empty or very long', async () => {
    const body = JSON.stringify({ InstanceProfileArn: 'x'.repeat(3_000), InstanceProfileId: 7 });
    const { values, problems } = await ask({
      [PROFILE]: { status: 200, body },
      [IDENTITY]: { status: 200, body: '{"region":""}' },
    });
    expect([...values, ...problems]).toEqual([]);
  });

  it('takes no answer without end', async () => {
    const { problems } = await ask({ [PROFILE]: { status: 200, body: `"${'x'.repeat(1_000_000)}"` } });
    expect(problems).toEqual(['the instance metadata service: GET /latest/meta-data/iam/info: more than 65536 bytes']);
  });

  it('asks for nothing without a token, and waits a second at most', async () => {
    const began = Date.now();
    expect(await ask({ [TOKEN]: 'silence' })).toEqual({
      problems: ['the instance metadata service: PUT /latest/api/token: no answer within 1000 ms'],
      values: new Map(),
    });
    expect(Date.now() - began).toBeGreaterThanOrEqual(990);
    expect(peer.lines).toEqual([TOKEN]);
    expect((await ask({ [TOKEN]: { status: 403 } })).problems).toEqual([
      'the instance metadata service: PUT /latest/api/token: status 403',
    ]);
    expect((await ask({ [TOKEN]: 'hang up' })).problems).toHaveLength(1);
    expect((await ask({}, AbortSignal.abort())).problems).toHaveLength(1);
    expect(peer.lines).toEqual([]);
  });

  it('asks nobody where it is disabled', async () => {
    expect(await instanceContext(null, signal)).toEqual({
      problems: ['the instance metadata service is disabled'],
      values: new Map(),
    });
  });
});
