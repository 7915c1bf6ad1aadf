import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TalonError } from '../../model/talon-error.ts';
import { settingLeaves } from './setting-leaves.ts';
import { type Environment, loadSettings, type Settings } from './settings.ts';

/** Every key of Falco Talon's own example, as its users have it. */
const EXAMPLE = `
listen_address: "0.0.0.0"
listen_port: "2803"
rules_files:
  - "./rules.yaml"
# kubeconfig: "~/.kube/config"
log_format: "color"
watch_rules: true
print_all_events: true
otel:
  traces_enabled: true
  metrics_enabled: true
  collector_port: 4317
  collector_endpoint: localhost
  collector_use_insecure_grpc: true
  timeout: 10
deduplication:
  leader_election: true
  time_window_seconds: 5
default_notifiers:
  - k8sevents
notifiers:
  slack:
    webhook_url: "https://hooks.example/XXX"
    Format: long
# aws:
#   role_arn: arn
`;

describe('loadSettings', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'talon-settings-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function load(
    text: string | undefined,
    env: Environment = {},
    rulesFlags: string[] = [],
    name = 'config.yaml',
  ): Settings {
    const configFile = text === undefined ? undefined : path.join(folder, name);
    if (configFile && text !== undefined) writeFileSync(configFile, text);
    return loadSettings({ configFile, rulesFlags, env });
  }

  function fault(text: string, env: Environment = {}, name?: string): string {
    return messageOf(() => load(text, env, [], name));
  }

  it('has the defaults of Falco Talon', () => {
    expect(load(undefined)).toMatchObject({
      listen_address: '0.0.0.0',
      listen_port: 2803,
      rulesFiles: ['/etc/falco-talon/rules.yaml'],
      kubeconfig: '',
      logFormat: 'color',
      watch_rules: true,
      print_all_events: false,
      default_notifiers: [],
      deduplication: { leader_election: true, time_window_seconds: 5 },
      otel: { collector_endpoint: 'localhost', collector_port: '4317', timeout: 10, traces_enabled: false },
      minio: { use_ssl: false },
      notifiers: {},
      dry_run: false,
      max_body_bytes: 1_048_576,
      warnings: [],
    });
  });

  it('loads the example file', () => {
    const settings = load(EXAMPLE);
    expect(settings).toMatchObject({
      listen_port: 2803,
      rulesFiles: ['./rules.yaml'],
      print_all_events: true,
      otel: { traces_enabled: true, collector_use_insecure_grpc: true, collector_port: '4317' },
      default_notifiers: ['k8sevents'],
      notifiers: { slack: { webhook_url: 'https://hooks.example/XXX', format: 'long' } },
    });
    expect(settings.warnings).toEqual([
      "the setting 'otel.traces_enabled' has no effect in this version: nothing that needs it is there yet",
      "the setting 'otel.metrics_enabled' has no effect in this version: nothing that needs it is there yet",
    ]);
  });

  it.each<[string, Partial<Settings> | Record<string, unknown>]>([
    ['', {}],
    ['# nothing but a comment', {}],
    ['Listen_Port: 1\nLOG_FORMAT: TEXT', { listen_port: 1, logFormat: 'text' }],
    ['log_format: xml', { logFormat: 'json' }],
    ['listen_port: "0x10"', { listen_port: 16 }],
    ['listen_address: 127', { listen_address: '127' }],
    ['print_all_events: "T"', { print_all_events: true }],
    ['print_all_events: 1', { print_all_events: true }],
    ['watch_rules: "false"', { watch_rules: false }],
    ['rules_files: a.yaml', { rulesFiles: ['a.yaml'] }],
    ['rules_files: "a.yaml,b.yaml"', { rulesFiles: ['a.yaml', 'b.yaml'] }],
    ['rules_files: [a.yaml, 7]', { rulesFiles: ['a.yaml', '7'] }],
    ['rules_file: a.yaml', { rulesFiles: ['a.yaml'] }],
    ['listen_port: null\nrules_files: ~', { listen_port: 2803, rulesFiles: ['/etc/falco-talon/rules.yaml'] }],
    ['deduplication.time_window_seconds: 9', { deduplication: { leader_election: true, time_window_seconds: 9 } }],
    ['deduplication: {time_window_seconds: 0}', { deduplication: { leader_election: true, time_window_seconds: 0 } }],
    ['otel: {use_insecure_grpc: true}', { otel: expect.objectContaining({ collector_use_insecure_grpc: true }) }],
    [
      'notifiers: {Loki: {Host_Port: "http://x", Custom_Headers: {X-A: b}}}',
      { notifiers: { loki: { host_port: 'http://x', custom_headers: { 'x-a': 'b' } } } },
    ],
    [
      'base: &b {leader_election: false}\ndeduplication: {<<: *b}',
      { deduplication: { leader_election: false, time_window_seconds: 5 } },
    ],
    ['kubeconfig: ~/.kube/config', { kubeconfig: '/home/u/.kube/config' }],
    ['kubeconfig: a~/b', { kubeconfig: 'a~/b' }],
    ['dry_run: true\nmax_body_bytes: 10', { dry_run: true, max_body_bytes: 10 }],
  ])('reads %j', (text, expected) => expect(load(text, { HOME: '/home/u' })).toMatchObject(expected));

  it('reads JSON', () => {
    expect(load('{"listen_port": 7}', {}, [], 'c.JSON').listen_port).toBe(7);
  });

  it.each<[Environment, Record<string, unknown>]>([
    [{ LISTEN_PORT: '9000' }, { listen_port: 9000 }],
    [{ LISTEN_PORT: '' }, { listen_port: 1 }],
    [{ RULES_FILES: 'a.yaml, b.yaml' }, { rulesFiles: ['a.yaml', ' b.yaml'] }],
    [{ DEDUPLICATION_TIME_WINDOW_SECONDS: '7' }, { deduplication: { leader_election: true, time_window_seconds: 7 } }],
    [{ DEFAULT_NOTIFIERS: 'slack,loki' }, { default_notifiers: ['slack', 'loki'] }],
    [
      { AWS_SECRET_KEY: 's', MINIO_USE_SSL: '1' },
      { aws: expect.objectContaining({ secret_key: 's' }), minio: expect.objectContaining({ use_ssl: true }) },
    ],
    [{ AWS_ROLE_EXTERNAL_ID: 'x' }, { aws: expect.objectContaining({ external_id: 'x' }) }],
    [{ OTEL_USE_INSECURE_GRPC: 'true' }, { otel: expect.objectContaining({ collector_use_insecure_grpc: true }) }],
    [{ NOTIFIERS_SLACK_WEBHOOK_URL: 'u', NOTIFIERS_SMTP_TLS: '' }, { notifiers: { slack: { webhook_url: 'u' } } }],
    [{ TALON_DRY_RUN: 'true' }, { dry_run: true }],
    [{ DRY_RUN: 'true' }, { dry_run: true }],
    [{ KUBECONFIG: '/k' }, { kubeconfig: '/k' }],
    [{ NO_COLOR: '1' }, { logFormat: 'text' }],
    [{ NO_COLOR: '1', LOG_FORMAT: 'json' }, { logFormat: 'json' }],
  ])('lets the environment win: %j', (env, expected) => expect(load('listen_port: 1', env)).toMatchObject(expected));

  it('lets -r win over everything', () => {
    expect(load('rules_files: [a]', { RULES_FILES: 'b' }, ['c,d', 'e']).rulesFiles).toEqual(['c,d', 'e']);
  });

  it('lets -p win over the policies of the configuration', () => {
    expect(load('policies_files: [a, b]').policiesFiles).toEqual(['a', 'b']);
    expect(load('', { POLICIES_FILES: 'c' }).policiesFiles).toEqual(['c']);
    const configFile = path.join(folder, 'config.yaml');
    expect(loadSettings({ configFile, rulesFlags: [], policiesFlags: ['d'], env: {} }).policiesFiles).toEqual(['d']);
  });

  it('reads the settings of the pipeline and the entrance', () => {
    const text =
      'retry: {attempts: 5}\njournal: {path: /j.db, retention_hours: 1}\nauth: {bearer_tokens: [a, b]}\ntls: {cert_file: c}';
    expect(
      load(text, { JOURNAL_PATH: '/k.db', AUTH_BASIC_USERS: 'u:p,v:q', METRICS_LISTEN_PORT: '9100' }),
    ).toMatchObject({
      retry: { attempts: 5, backoff_milliseconds: 250 },
      journal: { path: '/k.db', retention_hours: 1 },
      auth: { bearer_tokens: ['a', 'b'], basic_users: ['u:p', 'v:q'], secret_paths: [] },
      tls: { cert_file: 'c', key_file: '' },
      metrics_listen_port: 9100,
    });
  });

  it.each<[string, string]>([
    [
      'rules_files: [{a: b}]\nlisten_port: many',
      `'listen_port' cannot parse value as 'int': strconv.ParseInt: invalid syntax\n'rules_files[0]' expected type 'string', got unconvertible type 'map[string]interface {}'`,
    ],
    ['watch_rules: "yes"', `'watch_rules' cannot parse value as 'bool': strconv.ParseBool: invalid syntax`],
    ['listen_address: [a]', `'listen_address' expected type 'string', got unconvertible type '[]interface {}'`],
    [
      'deduplication: {leader_election: {}}',
      `'deduplication.leader_election' expected type 'bool', got unconvertible type 'map[string]interface {}'`,
    ],
  ])('refuses types that it cannot convert: %j', (text, errors) => {
    expect(fault(text)).toBe(
      `error unmarshalling config file: 'decoding failed due to the following error(s):\n\n${errors}'`,
    );
  });

  it.each([
    ['deduplication: {time_window_seconds: -1}', "'deduplication.time_window_seconds' is out of range"],
    ['listen_port: 70000', "'listen_port' is out of range"],
    ['max_body_bytes: 0', "'max_body_bytes' is out of range"],
    ['retry: {attempts: 0}', "'retry.attempts' is out of range"],
    ['watch_poll_seconds: 0', "'watch_poll_seconds' is out of range"],
  ])('refuses %j', (text, part) => expect(fault(text)).toContain(part));

  it('refuses a variable of the wrong type as it does a key', () => {
    expect(fault('', { TALON_DRY_RUN: 'yes' })).toContain("'dry_run' cannot parse value as 'bool'");
  });

  it('never shows the value of a secret', () => {
    expect(fault('aws: {secret_key: [hush]}')).not.toContain('hush');
    expect(fault('auth: {bearer_tokens: [{hush: hush}]}')).not.toContain('hush');
    expect(fault('auth: {basic_users: [[hush]]}')).not.toContain('hush');
    expect(JSON.stringify(load('aws: {secret_key: hush, secret: hush}').warnings)).not.toContain('hush');
  });

  it.each([
    ['c.yaml', '][', /^error when reading config file: 'While parsing config: yaml: line 1, column \d+: .+'$/],
    ['c.yaml', 'a: 1\na: 2', /line 2, column 1: Map keys must be unique/],
    ['c.yaml', '- a', /^error when reading config file: 'While parsing config: yaml: the file is not a mapping/],
    ['c.yaml', 'a: *b', /Unresolved alias/],
    ['c.toml', 'a = 1', /^error when reading config file: 'the format '\.toml' is not supported, use YAML or JSON'$/],
    ['c.txt', '', /^error when reading config file: 'Unsupported Config Type "txt"'$/],
    ['config', '', /^error when reading config file: 'Unsupported Config Type ""'$/],
  ])('refuses %s with %j', (name, text, message) => expect(fault(text, {}, name)).toMatch(message));

  it('refuses a file that cannot be read', () => {
    const missing = path.join(folder, 'missing.yaml');
    expect(messageOf(() => loadSettings({ configFile: missing, rulesFlags: [], env: {} }))).toBe(
      `error when reading config file: 'open ${missing}: no such file or directory'`,
    );
    mkdirSync(path.join(folder, 'folder.yaml'));
    expect(
      messageOf(() => loadSettings({ configFile: path.join(folder, 'folder.yaml'), rulesFlags: [], env: {} })),
    ).toContain('is a directory');
  });

  it('refuses an alias bomb', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((name, index) => `${name}: &${name} [${`*${'abcdefg'[index]},`.repeat(9)}]`),
    ].join('\n');
    expect(fault(bomb)).toMatch(/alias/i);
  });

  it('warns of what has no effect', () => {
    const text =
      'console: {port: 1}\ncluster: {nats: {url: y}}\nlog_level: debug\ndeduplication: {window: 5}\ngcp: {region: eu}';
    expect(load(text).warnings).toEqual([
      "the setting 'console' is not supported by this version and has no effect",
      "the setting 'cluster' is not supported by this version and has no effect",
      "the setting 'log_level' is unknown and has no effect",
      "the setting 'deduplication.window' is unknown and has no effect",
      "the setting 'gcp.region' has no effect in this version: the location of a function is a parameter of its action",
    ]);
    expect(load('watch_rules: false', { AWS_ROLE_ARN: 'arn' }).warnings).toEqual([]);
  });
});

describe('settingLeaves', () => {
  it('describes every setting', () => {
    for (const leaf of settingLeaves())
      expect(leaf, leaf.path).toMatchObject({ description: expect.stringMatching(/\.$/) });
  });

  it('marks the secrets', () => {
    expect(
      settingLeaves()
        .filter(({ secret }) => secret)
        .map(({ path: key }) => key),
    ).toEqual([
      'aws.external_id',
      'aws.access_key',
      'aws.secret_key',
      'gcp.credentials_path',
      'minio.access_key',
      'minio.secret_key',
      'auth.bearer_tokens',
      'auth.basic_users',
      'auth.secret_paths',
    ]);
  });
});

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(TalonError);
    expect((error as TalonError).code).toBe('config');
    return (error as TalonError).message;
  }
  throw new Error('nothing was refused');
}
