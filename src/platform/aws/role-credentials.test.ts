import type { STSClient } from '@aws-sdk/client-sts';
import { describe, expect, it, test } from 'vitest';
import { isRole, roleCredentials } from './role-credentials.ts';

const ROLE = { role_arn: 'arn:aws:iam::1:role/r', external_id: '' };

/** A client whose answers end after so many milliseconds, or fail. */
function client(answers: readonly (number | Error)[]) {
  let calls = 0;
  const send = async () => {
    const answer = answers[calls++];
    if (answer instanceof Error) throw answer;
    const Expiration = new Date(Date.now() + (answer ?? 0));
    return { Credentials: { AccessKeyId: `key-${calls}`, SecretAccessKey: 's', SessionToken: 't', Expiration } };
  };
  return { sts: { send } as unknown as STSClient, calls: () => calls };
}

describe('the credentials of a role', () => {
  it('are asked for once while they are good, however many need them', async () => {
    const { sts, calls } = client([3_600_000]);
    const credentials = roleCredentials(sts, ROLE);
    await Promise.all([credentials(), credentials(), credentials()]);
    expect((await credentials()).accessKeyId).toBe('key-1');
    expect(calls()).toBe(1);
  });

  it('are renewed shortly before their end; the old ones serve while that fails', async () => {
    const { sts } = client([60_000, new Error('down'), 3_600_000]);
    const credentials = roleCredentials(sts, ROLE);
    expect((await credentials()).accessKeyId).toBe('key-1');
    expect((await credentials()).accessKeyId).toBe('key-1');
    expect((await credentials()).accessKeyId).toBe('key-3');
  });

  it('fail when there are none any more', async () => {
    const { sts } = client([-1, new Error('down')]);
    const credentials = roleCredentials(sts, ROLE);
    await credentials();
    await expect(credentials()).rejects.toThrow('down');
  });
});

test.each([
  ['arn:aws:sts::1:assumed-role/talon/session', 'arn:aws:iam::1:role/talon', true],
  ['arn:aws:sts::1:assumed-role/talon/session', 'arn:aws:iam::1:role/deep/path/talon', true],
  ['arn:aws:sts::1:assumed-role/talon/session', 'arn:aws:iam::2:role/talon', false],
  ['arn:aws:sts::1:assumed-role/talon/session', 'arn:aws-cn:iam::1:role/talon', false],
  ['arn:aws:sts::1:assumed-role/other/talon', 'arn:aws:iam::1:role/talon', false],
  ['arn:aws:iam::1:user/talon', 'arn:aws:iam::1:role/talon', false],
  ['', '', false],
])('the identity %j is the role %j: %j', (identity, role, is) => {
  expect(isRole(identity, role)).toBe(is);
});
