import { setMaxListeners } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, createServer as createTlsServer, TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { MailboxTarget } from '../../model/targets.ts';
import { TestAuthority } from '../../runtime/entrance/test-certificates.ts';
import { createMailDoors } from './mail-doors.ts';

const never = new AbortController().signal;
setMaxListeners(0, never);

const authority = new TestAuthority('mail authority');
const issued = authority.issue('mail');

interface Smtp {
  /** Every line that came in, those of the message without their end. */
  readonly lines: string[];
  readonly server: Server;
  readonly port: number;
}

interface Habits {
  /** What is answered to a command, by its first letters, in place of the usual. */
  readonly says?: Readonly<Record<string, string | undefined>>;
  readonly tls?: 'starttls' | 'tls';
  readonly silent?: boolean;
}

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

const USUAL = { AUTH: '235 welcome', DATA: '354 go on', QUIT: '221 bye' };

function find(answers: Readonly<Record<string, string | undefined>>, line: string): string | undefined {
  return Object.entries(answers).find(([command]) => line.startsWith(command))?.[1];
}

/** A mail server that takes down what it is told. */
async function smtp({ says = {}, tls, silent = false }: Habits = {}): Promise<Smtp> {
  const lines: string[] = [];
  const talk = (socket: Socket, secure: boolean) => {
    let rest = '';
    let inMessage = false;
    const reply = (line: string) => {
      const offer = tls === 'starttls' && !secure ? '250-STARTTLS\r\n' : '';
      const usual = { EHLO: `250-mail\r\n${offer}250 AUTH PLAIN`, STARTTLS: '220 go ahead', ...USUAL };
      return find(says, line) ?? find(usual, line) ?? '250 ok';
    };
    const answer = (line: string) => {
      const said = reply(line);
      inMessage = said.startsWith('354');
      socket.write(`${said}\r\n`);
      if (line === 'QUIT') socket.end();
      if (!said.startsWith('220')) return;
      socket.removeAllListeners('data');
      talk(new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(issued) }), true);
    };
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      const parts = (rest + data.toString('utf8')).split('\r\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        if (!inMessage) answer(line);
        else if (line === '.') {
          inMessage = false;
          socket.write(`${says['.'] ?? '250 taken'}\r\n`);
        }
      }
    });
  };
  const sockets = new Set<Socket>();
  const greet = (socket: Socket) => {
    sockets.add(socket);
    if (silent) return;
    talk(socket, tls === 'tls');
    socket.write('220 mail.example.org ESMTP\r\n');
  };
  const server: Server = tls === 'tls' ? createTlsServer(issued, greet) : createServer(greet);
  open.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { lines, server, port: (server.address() as { port: number }).port };
}

const mailbox = (port: number, more: Partial<MailboxTarget> = {}): MailboxTarget => ({
  ...{ kind: 'mailbox', name: '', server: `127.0.0.1:${port}`, from: 'talon@example.org', to: ['soc@example.org'] },
  ...{ user: '', password: '', security: 'none', allowPlainLogin: false, ...more },
});

const MAIL = { subject: 'a subject', text: 'a text' };

function send(target: MailboxTarget, mail: Partial<typeof MAIL & { html: string }> = {}, signal = never) {
  return createMailDoors({ authorities: authority.cert })['mail.send'](target, { ...MAIL, ...mail }, signal);
}
const failure = (...given: Parameters<typeof send>) =>
  send(...given).then(
    () => 'no failure',
    (error: unknown) => error,
  );

async function until(condition: () => boolean): Promise<void> {
  for (let count = 0; count < 200 && !condition(); count += 1) await sleep(10);
  expect(condition()).toBe(true);
}

describe('a mail', () => {
  it('has sender, receivers, date and subject, and ends the connection in order', async () => {
    const { lines, port } = await smtp();
    await send(
      mailbox(port, { from: 'Talon <talon@example.org>', to: ['soc@example.org', 'On Call <oc@example.org>'] }),
    );
    expect(lines.slice(1, 4)).toEqual([
      'MAIL FROM:<talon@example.org>',
      'RCPT TO:<soc@example.org>',
      'RCPT TO:<oc@example.org>',
    ]);
    const date = lines.find((line) => line.startsWith('Date: '))?.slice('Date: '.length) ?? '';
    expect(date).toMatch(/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000$/);
    expect(lines).toEqual(
      expect.arrayContaining(['From: Talon <talon@example.org>', 'Subject: a subject', 'MIME-Version: 1.0']),
    );
    expect(lines).toContain('To: soc@example.org, On Call <oc@example.org>');
    expect(lines.slice(lines.indexOf('')).slice(0, 3)).toEqual(['', 'a text', '.']);
    expect(lines.some((line) => line.startsWith('AUTH'))).toBe(false);
    await until(() => lines.at(-1) === 'QUIT');
  });

  it('of two forms says both, in UTF-8, with another boundary each time', async () => {
    const { lines, port } = await smtp();
    for (let count = 0; count < 2; count += 1) await send(mailbox(port), { text: 'schön', html: '<p>schön &lt;</p>' });
    expect(lines.join('\n')).toMatch(/Content-Type: multipart\/alternative;\n boundary=/);
    expect(lines).toEqual(
      expect.arrayContaining(['Content-Type: text/plain; charset=utf-8', 'Content-Type: text/html; charset=utf-8']),
    );
    expect(lines).toContain('sch=C3=B6n');
    expect(new Set(lines.filter((line) => /^ boundary=/.test(line))).size).toBe(2);
  });

  it('cannot end early, whatever is in it', async () => {
    const { lines, port } = await smtp();
    await send(mailbox(port), { text: 'a\n.\nMAIL FROM:<evil@example.org>\r\n.\r\nQUIT\n\0\u202e🦅' });
    expect(lines.filter((line) => line === '.')).toHaveLength(1);
    expect(lines.filter((line) => line === 'DATA')).toHaveLength(1);
  });

  it('may be large', async () => {
    const { lines, port } = await smtp();
    await send(mailbox(port), { text: 'x'.repeat(1 << 20) });
    expect(lines.join('').length).toBeGreaterThan(1 << 20);
  });

  it.each([
    [{ subject: 'x\r\nBcc: evil@example.org' }, {}, 'subject'],
    [{ subject: 'x\nBcc: evil@example.org' }, {}, 'subject'],
    [{}, { from: 'talon@example.org\r\nBcc: evil@example.org' }, 'from'],
    [{}, { to: ['soc@example.org\n', 'x@example.org'] }, 'to'],
    [{ subject: 'a\0b' }, {}, 'subject'],
  ])('with a line break in a header is not sent: %j %j', async (mail, target, name) => {
    const { lines, port } = await smtp();
    expect(await failure(mailbox(port, target), mail)).toMatchObject({
      ...{ code: 'refused', message: `a line break in the header '${name}' of the mail` },
    });
    expect(lines).toEqual([]);
  });

  it.each([[{ from: 'nobody' }], [{ to: [] }], [{ to: ['', ' '] }]])(
    'without addresses is not sent: %j',
    async (target) => {
      const { lines, port } = await smtp();
      const error = await failure(mailbox(port, target));
      expect(error).toMatchObject({ code: 'refused' });
      expect(lines).toEqual([]);
    },
  );
});

describe('a login', () => {
  const user = { user: 'talon', password: 'a-password' };

  it('is made where there is a user', async () => {
    const { lines, port } = await smtp({ tls: 'starttls' });
    await send(mailbox(port, { ...user, security: 'starttls' }));
    expect(lines).toContain(`AUTH PLAIN ${Buffer.from('\0talon\0a-password').toString('base64')}`);
    expect(lines.indexOf('STARTTLS')).toBeLessThan(lines.findIndex((line) => line.startsWith('AUTH')));
  });

  it('does not cross the network in clear', async () => {
    const { lines, port } = await smtp();
    expect(await failure(mailbox(port, user))).toMatchObject({
      ...{ code: 'refused', message: 'the password would cross the network in clear: use TLS, or allow it' },
    });
    expect(lines).toEqual([]);
  });

  it('may do so where that is allowed', async () => {
    const { lines, port } = await smtp();
    await send(mailbox(port, { ...user, allowPlainLogin: true }));
    expect(lines.some((line) => line.startsWith('AUTH PLAIN'))).toBe(true);
  });

  it('that is wrong is refused, and shows nothing', async () => {
    const { port } = await smtp({ tls: 'tls', says: { AUTH: '535 5.7.8 no' } });
    const error = await failure(mailbox(port, { ...user, security: 'tls' }));
    expect(error).toMatchObject({ code: 'refused', message: expect.stringMatching(/Invalid login: 535 5\.7\.8 no$/) });
    expect(String((error as Error).message)).not.toContain('a-password');
  });
});

describe('TLS', () => {
  it.each(['tls', 'starttls'] as const)('%s carries a mail', async (tls) => {
    const { lines, port } = await smtp({ tls });
    await send(mailbox(port, { security: tls }));
    expect(lines).toContain('a text');
  });

  it('is not done without', async () => {
    const { lines, port } = await smtp({ says: { STARTTLS: '502 what?' } });
    expect(await failure(mailbox(port, { security: 'starttls' }))).toMatchObject({ code: 'refused' });
    expect(lines.some((line) => line.startsWith('MAIL'))).toBe(false);
  });

  it.each(['tls', 'starttls'] as const)('%s is not spoken with a server that nobody vouches for', async (tls) => {
    const { lines, port } = await smtp({ tls });
    const given = createMailDoors()['mail.send'](mailbox(port, { security: tls }), MAIL, never);
    await expect(given).rejects.toMatchObject({ code: 'unreachable', message: /certificate/ });
    expect(lines.some((line) => line.startsWith('MAIL'))).toBe(false);
  });
});

describe('a failure', () => {
  it.each<[string, Record<string, string>, string, RegExp]>([
    ['a sender that is not liked', { MAIL: '550 5.7.1 not you' }, 'refused', /550 5\.7\.1 not you$/],
    ['no receiver that is known', { RCPT: '550 5.1.1 nobody' }, 'refused', /550 5\.1\.1 nobody/],
    ['a greylist', { RCPT: '450 4.7.1 later' }, 'busy', /450 4\.7\.1 later/],
    ['a server that closes', { EHLO: '421 4.3.2 going down', HELO: '421 going down' }, 'busy', /421/],
    ['a message that is not liked', { '.': '554 5.6.0 spam' }, 'refused', /554 5\.6\.0 spam/],
    ['a full disk', { '.': '452 4.3.1 full' }, 'busy', /452 4\.3\.1 full/],
  ])('for %s', async (_, says, code, message) => {
    const { port } = await smtp({ says });
    expect(await failure(mailbox(port))).toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`^the mail server 127\\.0\\.0\\.1:${port} did not take the mail: `)),
    });
    expect(await failure(mailbox(port))).toMatchObject({ message: expect.stringMatching(message) });
  });

  it('for one of two receivers says for which, and does not ask for another try', async () => {
    const { port } = await smtp({ says: { 'RCPT TO:<b@example.org>': '450 4.2.1 busy' } });
    expect(await failure(mailbox(port, { to: ['a@example.org', 'b@example.org'] }))).toMatchObject({
      ...{
        code: 'refused',
        message: expect.stringMatching(/^the mail was not taken for b@example\.org: .*450 4\.2\.1 busy/),
      },
    });
  });

  it('for nobody there', async () => {
    expect(await failure(mailbox(1))).toMatchObject({
      ...{
        code: 'unreachable',
        message: 'no answer from the mail server 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1',
      },
    });
  });

  it('for a server that hangs up', async () => {
    const server = createServer((socket) => socket.destroy());
    open.push(() => server.close());
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    expect(await failure(mailbox((server.address() as { port: number }).port))).toMatchObject({ code: 'unreachable' });
  });

  it('for the end of the step, with the connection', async () => {
    const { server, port } = await smtp({ silent: true });
    const over = new AbortController();
    const failed = failure(mailbox(port), {}, over.signal);
    setTimeout(() => over.abort(), 50);
    expect(await failed).toMatchObject({ code: 'unreachable', message: expect.stringMatching(/: the step was over$/) });
    const connections = () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
    for (let count = 0; count < 100 && (await connections()) > 0; count += 1) await sleep(10);
    expect(await connections()).toBe(0);
  });
});
