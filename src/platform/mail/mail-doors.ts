import type { SMTPConnectionSendInfo } from 'nodemailer/lib/smtp-connection';
import type { Mail } from '../../model/capability.ts';
import { DoorError } from '../../model/door-error.ts';
import type { AdaptersOf } from '../../model/door-row.ts';
import type { MailboxTarget } from '../../model/targets.ts';

type Client = typeof import('./smtp-client.ts');
type Connection = InstanceType<Client['SMTPConnection']>;

export interface MailDoorOptions {
  /** Certificates (PEM) of the authorities that are trusted, if not those of the system. */
  readonly authorities?: string;
}

/** Milliseconds for the name, for the connection, for the greeting, and for each answer. */
const TIMEOUT = 10_000;

/** The door to mail servers. The code that speaks with them is loaded with the first mail. */
export function createMailDoors(options: MailDoorOptions = {}): AdaptersOf<'mail'> {
  return {
    'mail.send': async (mailbox, mail, signal) => {
      refuseLineBreaks(mailbox, mail);
      if (mailbox.user !== '' && mailbox.security === 'none' && !mailbox.allowPlainLogin) {
        throw new DoorError('refused', 'the password would cross the network in clear: use TLS, or allow it');
      }
      const client = await import('./smtp-client.ts');
      const message = await compose(client, mailbox, mail);
      await deliver(client, mailbox, message, { ...options, signal });
    },
  };
}

/** Whoever can break a line of the head of a mail can add receivers to it. */
function refuseLineBreaks({ from, to }: MailboxTarget, { subject }: Mail): void {
  const heads = { from, to: to.join(), subject };
  for (const [name, value] of Object.entries(heads)) {
    if (/[\r\n\0]/.test(value)) throw new DoorError('refused', `a line break in the header '${name}' of the mail`);
  }
}

interface Message {
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly bytes: Buffer;
}

async function compose({ MailComposer }: Client, { from, to }: MailboxTarget, mail: Mail): Promise<Message> {
  const { subject, text, html } = mail;
  const composer = new MailComposer({
    ...{ from, to: [...to], subject, text, ...(html !== undefined && { html }) },
    ...{ disableFileAccess: true, disableUrlAccess: true },
  });
  const mime = composer.compile();
  const envelope = mime.getEnvelope();
  if (!envelope.from || envelope.to.length === 0) {
    throw new DoorError('refused', 'the mail has no sender or no receiver: these are no addresses');
  }
  return { envelope: { from: envelope.from, to: envelope.to }, bytes: await mime.build() };
}

async function deliver(
  { SMTPConnection }: Client,
  mailbox: MailboxTarget,
  message: Message,
  { authorities, signal }: MailDoorOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const { host, port } = hostAndPort(mailbox.server);
  const { security } = mailbox;
  const connection = new SMTPConnection({
    ...{ host, port, secure: security === 'tls', requireTLS: security === 'starttls', ignoreTLS: security === 'none' },
    ...{ dnsTimeout: TIMEOUT, connectionTimeout: TIMEOUT, greetingTimeout: TIMEOUT, socketTimeout: TIMEOUT },
    tls: { minVersion: 'TLSv1.2', ...(authorities !== undefined && { ca: authorities }) },
  });
  const { broken, leave } = breaksOf(connection, signal);
  try {
    await Promise.race([broken, talk(connection, mailbox, message)]);
    connection.quit();
  } catch (error) {
    connection.close();
    throw doorError(error, mailbox.server);
  } finally {
    leave();
  }
}

/** `host:port`, where an IPv6 address has brackets. */
function hostAndPort(server: string): { readonly host: string; readonly port: number } {
  const [, host = '', port] = /^(.*):(\d+)$/.exec(server) ?? [];
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

/** What ends the talk before its end: the connection, or the step. */
function breaksOf(connection: Connection, signal: AbortSignal) {
  const breaking = new AbortController();
  const broken = new Promise<never>((_, reject) => {
    connection.on('error', reject);
    connection.once('end', () => reject(new Error('it ended the connection')));
    const abort = () => reject(new Error('the step was over'));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true, signal: breaking.signal });
  });
  broken.catch(() => undefined);
  return { broken, leave: () => breaking.abort() };
}

async function talk(
  connection: Connection,
  { user, password: pass }: MailboxTarget,
  { envelope, bytes }: Message,
): Promise<void> {
  await settled((done) => connection.connect(done));
  if (user !== '') await settled((done) => connection.login({ credentials: { user, pass } }, done));
  const sent = await settled<SMTPConnectionSendInfo>((done) =>
    connection.send({ from: envelope.from, to: [...envelope.to] }, bytes, done),
  );
  // Another try would send it twice to the others.
  if (sent?.rejected?.length) {
    const reason = sent.rejectedErrors?.[0]?.message ?? '';
    throw new DoorError('refused', `the mail was not taken for ${sent.rejected.join(', ')}: ${reason}`);
  }
}

function settled<T>(start: (done: (error?: Error | null, result?: T) => void) => void): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    start((error, result) => (error ? reject(error) : resolve(result)));
  });
}

/** What nodemailer says of a server that does not do what is asked of it, and will not the next time. */
const REFUSALS = new Set(['EAUTH', 'EENVELOPE', 'EMESSAGE']);

function doorError(error: unknown, server: string): DoorError {
  if (error instanceof DoorError) return error;
  const { message, code, responseCode } = error as NodeJS.ErrnoException & { responseCode?: number };
  const words = (message || code || String(error)).replace(/\s*[\r\n]+\s*/g, ' ').slice(0, 1000);
  const text = `the mail server ${server} did not take the mail: ${words}`;
  if (responseCode !== undefined && responseCode >= 400) {
    return new DoorError(responseCode < 500 ? 'busy' : 'refused', text, { cause: error });
  }
  if (REFUSALS.has(code ?? '')) return new DoorError('refused', text, { cause: error });
  return new DoorError('unreachable', `no answer from the mail server ${server}: ${words}`, { cause: error });
}
