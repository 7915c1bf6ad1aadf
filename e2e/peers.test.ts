import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { CertificateAuthority } from './cluster/certificates.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { startFakeGcs } from './peers/fake-gcs.ts';
import { startLoki } from './peers/loki.ts';
import { startMinio } from './peers/minio.ts';
import { startMoto } from './peers/moto.ts';
import { startOpenSearch } from './peers/opensearch.ts';
import { usePeer } from './peers/peer.ts';
import { startRecorder } from './peers/recorder.ts';
import { startSmtp } from './peers/smtp.ts';
import { makeScratch, removeScratch } from './scratch.ts';

describe('moto', () => {
  const moto = usePeer(startMoto);

  it('keeps objects', async () => {
    const bucket = await moto().bucket('evidence');
    await bucket.put('a b/ä.txt', 'stored');
    expect(await bucket.keys()).toEqual(['a b/ä.txt']);
    expect((await bucket.get('a b/ä.txt')).content.toString()).toBe('stored');
  });

  it('gives the credentials of a role, and records what it was asked', async () => {
    await moto().record();
    const role = 'arn:aws:iam::123456789012:role/responder';
    const form = {
      Action: 'AssumeRole',
      Version: '2011-06-15',
      RoleArn: role,
      RoleSessionName: 'e2e',
      ExternalId: 'ext-1',
    };
    const answer = await moto().query('sts', form);
    expect(await answer.text()).toMatch(/<AccessKeyId>ASIA\w+<\/AccessKeyId>/);
    const [call] = await moto().recorded();
    expect(call).toMatchObject({ method: 'POST', body: expect.stringContaining('ExternalId=ext-1') });
  });

  it('calls a function, which says what it was told', async () => {
    await moto().makeLambda('echo');
    const answer = await moto().invoke('echo', '{"pod":"web-0"}');
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe('{"pod":"web-0"}');
  });
});

describe('minio', () => {
  const minio = usePeer(startMinio);

  it('keeps objects of those who sign rightly', async () => {
    const bucket = await minio().bucket('evidence');
    await bucket.put('a b/ä.txt', 'stored');
    expect(await bucket.keys()).toEqual(['a b/ä.txt']);
    expect((await bucket.get('a b/ä.txt')).content.toString()).toBe('stored');
    expect((await fetch(`${minio().url}/evidence?list-type=2`)).status).toBe(403);
  });
});

describe('fake-gcs-server', () => {
  const gcs = usePeer(startFakeGcs);

  it('takes uploads', async () => {
    await gcs().makeBucket('evidence');
    const upload = `${gcs().url}/upload/storage/v1/b/evidence/o?uploadType=media&name=logs%2Fweb.txt`;
    const headers = { 'content-type': 'text/plain' };
    expect((await fetch(upload, { method: 'POST', headers, body: 'stored' })).status).toBe(200);
    expect(await gcs().list('evidence')).toMatchObject([
      { name: 'logs/web.txt', contentType: 'text/plain', size: '6' },
    ]);
    expect((await gcs().content('evidence', 'logs/web.txt')).toString()).toBe('stored');
  });
});

describe('opensearch', () => {
  const opensearch = usePeer(startOpenSearch);

  it('finds what was indexed', async () => {
    await opensearch().call('POST', '/talon-2026/_doc', { rule: 'Shell in a pod' });
    expect(await opensearch().search('talon-*', { match: { rule: 'shell' } })).toMatchObject([
      { _index: 'talon-2026', _source: { rule: 'Shell in a pod' } },
    ]);
  });
});

describe('loki', () => {
  const loki = usePeer(startLoki);

  it('finds a line by its labels, of its own tenant only', async () => {
    const line = [`${Date.now()}000000`, 'the pod has been labeled'];
    const headers = { 'content-type': 'application/json', 'x-scope-orgid': 'soc' };
    const body = JSON.stringify({ streams: [{ stream: { status: 'success' }, values: [line] }] });
    expect((await fetch(`${loki().url}/loki/api/v1/push`, { method: 'POST', headers, body })).status).toBe(204);
    const found = await waitUntil('the line', async () => {
      const streams = await loki().query('soc', '{status="success"}');
      return streams.length > 0 && streams;
    });
    expect(found).toMatchObject([{ stream: { status: 'success' }, values: [line] }]);
    expect(await loki().query('others', '{status="success"}')).toEqual([]);
  });
});

describe('smtp', () => {
  const folder = makeScratch();
  const authority = new CertificateAuthority(folder);
  const pair = authority.issue('mail', { commonName: 'mail', altNames: ['IP:127.0.0.1'] });
  afterAll(() => removeScratch(folder));
  const login = { user: 'talon', password: 'mail-secret' };
  const plain = usePeer(() => startSmtp({ refuse: 'nobody@example.org' }));
  const encrypted = usePeer(() => startSmtp({ security: 'tls', pair, login }));
  const upgraded = usePeer(() => startSmtp({ security: 'starttls', pair, login }));

  it('delivers mails, and refuses those to one recipient', async () => {
    const client = new SmtpDialogue(connect(plain().port, '127.0.0.1'));
    await client.says(/^220 /);
    await client.ask('EHLO e2e', /^250 /);
    await client.ask('MAIL FROM:<a@example.org>', /^250 /);
    await client.ask('RCPT TO:<nobody@example.org>', /^550 /);
    await client.deliver();
    expect(plain().mails()).toEqual([
      {
        raw: 'Subject: hello\r\n\r\ntext\r\n',
        from: 'a@example.org',
        to: ['b@example.org'],
        encrypted: false,
        user: null,
      },
    ]);
  });

  it('wants a log-in, over TLS', async () => {
    const client = new SmtpDialogue(connectTls({ port: encrypted().port, host: '127.0.0.1', ca: authority.pair.cert }));
    await client.says(/^220 /);
    await client.ask('EHLO e2e', /^250 /);
    await client.ask('MAIL FROM:<a@example.org>', /^530 /);
    await client.ask(`AUTH PLAIN ${plainLogin('talon', 'wrong')}`, /^535 /);
    await client.ask(`AUTH PLAIN ${plainLogin(login.user, login.password)}`, /^235 /);
    await client.ask('MAIL FROM:<a@example.org>', /^250 /);
    await client.deliver();
    expect(encrypted().mails()).toMatchObject([{ encrypted: true, user: 'talon' }]);
  });

  it('wants STARTTLS', async () => {
    const bare = connect(upgraded().port, '127.0.0.1');
    const before = new SmtpDialogue(bare);
    await before.says(/^220 /);
    await before.ask('EHLO e2e', /^250 /);
    await before.ask('MAIL FROM:<a@example.org>', /^530 /);
    await before.ask('STARTTLS', /^220 /);
    bare.removeAllListeners('data');
    const client = new SmtpDialogue(
      connectTls({ socket: bare, ca: authority.pair.cert, checkServerIdentity: () => undefined }),
    );
    await client.ask('EHLO e2e', /^250 /);
    await client.ask(`AUTH PLAIN ${plainLogin(login.user, login.password)}`, /^235 /);
    await client.ask('MAIL FROM:<a@example.org>', /^250 /);
    await client.deliver();
    expect(upgraded().mails()).toMatchObject([{ encrypted: true, user: 'talon' }]);
  });
});

describe('recorder', () => {
  const recorder = usePeer(startRecorder);

  it('tells what it was asked, and answers as told', async () => {
    recorder().reply(() => ({ status: 503, body: 'later' }));
    const response = await fetch(`${recorder().url}/hook?a=1`, { method: 'PUT', body: 'x' });
    expect([response.status, await response.text()]).toEqual([503, 'later']);
    expect(recorder().requests).toMatchObject([{ method: 'PUT', target: '/hook?a=1', body: 'x' }]);
  });
});

/** The client's side of a talk with a mail server. */
class SmtpDialogue {
  readonly #socket: Socket;
  #received = '';

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.#received += text;
    });
  }

  /** Waits for the last line of an answer. */
  async says(expected: RegExp): Promise<void> {
    const last = await waitUntil('the mail server to answer', () => /^\d{3} .*\r\n$/m.exec(this.#received)?.[0]);
    this.#received = '';
    expect(last).toMatch(expected);
  }

  ask(line: string, expected: RegExp): Promise<void> {
    this.#socket.write(`${line}\r\n`);
    return this.says(expected);
  }

  async deliver(): Promise<void> {
    await this.ask('RCPT TO:<b@example.org>', /^250 /);
    await this.ask('DATA', /^354 /);
    await this.ask('Subject: hello\r\n\r\ntext\r\n.', /^250 /);
    await this.ask('QUIT', /^221 /);
    this.#socket.destroy();
  }
}

function plainLogin(user: string, password: string): string {
  return Buffer.from(`\0${user}\0${password}`).toString('base64');
}
