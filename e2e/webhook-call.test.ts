import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { alertBody } from './alert.ts';
import { freePort } from './cluster/free-port.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { usePeer } from './peers/peer.ts';
import { startRecorder } from './peers/recorder.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import { secretsWritten } from './secrets-written.ts';
import type { Talon } from './talon.ts';
import { TalonHome } from './talon-home.ts';

const SECRET = 'ticket-key-6ab1';
/** What ends a text of JSON, a line of a header and a shell, if it gets the chance. */
const HOSTILE = 'x", "admin": true, "y": "$(id) `id` \r\nX-Injected: yes \u202e🦅';

const endpoint = usePeer(startRecorder);
let scratch: string;
let home: TalonHome | undefined;
let talon: Talon | undefined;

beforeAll(() => {
  scratch = makeScratch();
});
afterEach(async () => {
  await talon?.stop();
  home?.remove();
  talon = undefined;
});
afterAll(() => removeScratch(scratch));

describe('webhook:call', () => {
  it('sends a body with the values of the alert and a secret that nobody else sees, without a cluster', async () => {
    const parameters = { body: '{"process": "$PROC_NAME", "rule": "$RULE", "n": 1}', expected_status: '201' };
    endpoint().reply(() => ({ status: 201, body: `echo of ${SECRET}` }));
    const lines = await call(ruleOf(parameters), { 'proc.name': HOSTILE });
    expect(endpoint().requests).toMatchObject([
      { method: 'POST', target: '/api/issues?site=paris', headers: { authorization: SECRET, 'x-site': 'paris' } },
    ]);
    const [request] = endpoint().requests;
    expect(request?.headers).not.toHaveProperty('x-injected');
    expect(JSON.parse(request?.body ?? '')).toMatchObject({ process: HOSTILE, n: 1 });
    expect(lines.at(-1)).toMatchObject({
      message: 'action',
      status: 'success',
      output: `the endpoint '${host()}' answered 201 Created`,
    });
    expect(await secretsWritten(talon!, home!, [SECRET])).toEqual([]);
  });

  it('stores the answer', async () => {
    const destination = join(scratch, 'answers');
    mkdirSync(destination);
    endpoint().reply(() => ({ status: 200, body: '{"id": 7}', headers: { 'content-type': 'application/json' } }));
    const output = `\n      output: {target: "local:file", parameters: {destination: "${destination}"}}`;
    await call(ruleOf({}) + output);
    const [file = ''] = await waitUntil('the file', () => {
      const files = readdirSync(destination).filter((name) => !name.startsWith('.'));
      return files.length > 0 && files;
    });
    expect(file).toMatch(/response$/);
    expect(readFileSync(join(destination, file), 'utf8')).toBe('{"id": 7}');
  });

  it('tries a busy endpoint again, and says what it answered in the end', async () => {
    const before = endpoint().requests.length;
    endpoint().reply(() => ({ status: 503, headers: { 'retry-after': '0' } }));
    const retry = '\n      retry: {attempts: 2, backoff: 10ms}';
    const lines = await call(ruleOf({}) + retry);
    expect(endpoint().requests.length - before).toBe(2);
    expect(lines.find(({ message, status }) => message === 'action' && status === 'failure')).toMatchObject({
      error: `the endpoint '${host()}' answered 503 Service Unavailable`,
    });
  });

  it('waits for an endpoint to which no connection can be made, since nothing was sent then', async () => {
    const port = await freePort();
    const arrived: string[] = [];
    const late = createServer((request, response) => {
      arrived.push(request.url ?? '');
      response.end();
    });
    const handled = call(ruleOf({ url: `http://127.0.0.1:${port}/late` }));
    await waitUntil('the first try', () => talon?.lines.some(({ error }) => error?.includes('ECONNREFUSED')));
    await new Promise<void>((resolve) => void late.listen(port, '127.0.0.1', resolve));
    const lines = await handled;
    late.close();
    late.closeAllConnections();
    expect(arrived).toEqual(['/late']);
    expect(lines.some(({ message, status }) => message === 'action' && status === 'success')).toBe(true);
  });
});

const host = () => new URL(endpoint().url).host;

function ruleOf(parameters: object): string {
  const all = {
    url: `${endpoint().url}/api/issues?site=paris`,
    headers: { 'X-Site': 'paris' },
    secret_headers: { Authorization: 'TALON_SECRET_TICKETS' },
    ...parameters,
  };
  return `- rule: Ticket
  match: {rules: [ticket]}
  actions:
    - action: Open a ticket
      actionner: webhook:call
      parameters: ${JSON.stringify(all)}`;
}

/** Starts a server and has it act on one alert; the lines of its log about that. */
async function call(rules: string, fields: object = {}) {
  home = await TalonHome.make({ rules: `${rules}\n`, env: { TALON_SECRET_TICKETS: SECRET } });
  talon = await home.start();
  return talon.handle(alertBody({ rule: 'ticket', fields: { ...fields } }));
}
