import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Credentials, Secrets } from './credentials.ts';
import { LONGEST_SECRET } from './entrance-settings.ts';

const OLD = 'old-token-0123456789';
const NEW = 'new-token-0123456789';
const basic = (user: string) => `Basic ${Buffer.from(user).toString('base64')}`;

describe('Secrets', () => {
  it('has exactly those it was given', () => {
    const secret = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(fc.array(secret, { maxLength: 5 }), secret, (given, other) => {
        const secrets = new Secrets(given);
        for (const each of given) expect(secrets.has(each)).toBe(true);
        expect(secrets.has(other)).toBe(given.some((each) => Buffer.from(each).equals(Buffer.from(other))));
      }),
    );
  });

  it('does not look at what is longer than any secret', () => {
    expect(new Secrets(['x'.repeat(LONGEST_SECRET + 1)]).has('x'.repeat(LONGEST_SECRET + 1))).toBe(false);
  });
});

describe('Credentials', () => {
  it('asks for nothing when none are set', () => {
    const credentials = new Credentials([], []);
    expect(credentials.wanted).toBe(false);
    expect(credentials.accept(undefined)).toBe(true);
    expect(credentials.accept('nonsense')).toBe(true);
  });

  const both = new Credentials([OLD, NEW], ['falco:s3cret: with colons', 'größe:pässwörd']);

  it.each([
    `Bearer ${OLD}`,
    `Bearer ${NEW}`,
    `bearer ${OLD}`,
    `BEARER  ${OLD} `,
    basic('falco:s3cret: with colons'),
    basic('größe:pässwörd'),
    basic('falco:s3cret: with colons').replace('Basic', 'basic'),
  ])('accepts %s', (header) => {
    expect(both.accept(header)).toBe(true);
  });

  it.each([
    undefined,
    '',
    ' ',
    'Bearer',
    'Bearer ',
    `Bearer ${OLD}x`,
    `Bearer ${OLD.slice(0, -1)}`,
    `Bearer ${OLD.toUpperCase()}`,
    `Bearer ${OLD} ${OLD}`,
    `Bearer ${OLD}, Bearer ${NEW}`,
    OLD,
    `Token ${OLD}`,
    `Basic ${OLD}`,
    `Bearer falco:s3cret: with colons`,
    basic('falco:'),
    basic('falco:s3cret'),
    basic(':s3cret: with colons'),
    basic(''),
    'Basic ???',
    `Basic ${'A'.repeat(60_000)}`,
    `Bearer ${'A'.repeat(60_000)}`,
    `__proto__ ${OLD}`,
  ])('refuses %.60s', (header) => {
    expect(both.accept(header)).toBe(false);
  });

  it('takes no user where there are tokens alone, and no token where there are users alone', () => {
    expect(new Credentials([OLD], []).accept(basic(OLD))).toBe(false);
    expect(new Credentials([], [`a:${OLD}`]).accept(`Bearer a:${OLD}`)).toBe(false);
  });

  it.each([
    [[OLD], [], 'Bearer realm="falco-talon"'],
    [[], ['a:b'], 'Basic realm="falco-talon"'],
    [[OLD], ['a:b'], 'Bearer realm="falco-talon", Basic realm="falco-talon"'],
  ])('challenges for what is set', (tokens, users, challenge) => {
    expect(new Credentials(tokens, users).challenge).toBe(challenge);
  });
});
