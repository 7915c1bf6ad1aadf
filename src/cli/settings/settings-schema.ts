import * as z from 'zod';

/** What a setting has beside its type, default and description. */
export interface SettingNotes {
  /** Never shown, in no log and no message. */
  readonly secret?: boolean;
  /** Environment variables that count beside the one of the setting's own name. */
  readonly env?: readonly string[];
  /** Other spellings of the key. */
  readonly alias?: readonly string[];
  /** Present when this version does nothing with it: the reason, for the warning to whoever sets it. */
  readonly without_effect?: string;
}

const NOT_YET = 'nothing that needs it is there yet';

function text(value: string, description: string, notes: SettingNotes = {}) {
  return z
    .string()
    .default(value)
    .meta({ description, ...notes });
}

function flag(value: boolean, description: string, notes: SettingNotes = {}) {
  return z
    .boolean()
    .default(value)
    .meta({ description, ...notes });
}

function count(value: number, [least, most]: readonly [number, number], description: string, notes: SettingNotes = {}) {
  return z
    .int()
    .min(least)
    .max(most)
    .default(value)
    .meta({ description, ...notes });
}

function texts(value: string[], description: string, notes: SettingNotes = {}) {
  return z
    .array(z.string())
    .default(value)
    .meta({ description, ...notes });
}

const DAY = 86_400;
const GIB = 2 ** 30;

/**
 * All settings, by the keys of the configuration file. The environment variable of a setting is its path in upper case with
 * `_` for the dots. Keys, defaults and variables are those of Falco Talon, up to the ones at the end, which are ours.
 */
export const settingsSchema = z.object({
  listen_address: text('0.0.0.0', 'Address to listen on.'),
  listen_port: count(2803, [0, 65_535], 'Port to listen on; 0 takes a free one.'),
  rules_files: texts(['/etc/falco-talon/rules.yaml'], 'Rules files, in order. Files given with `-r` replace them.', {
    alias: ['rules_file'],
    env: ['RULES_FILE'],
  }),
  kubeconfig: text(
    '',
    'Path of a kubeconfig file; its current context is used. Empty: the service account of the pod.',
  ),
  log_format: text('color', '`text`, `color`, or anything else for JSON.'),
  policies_files: texts([], 'Files of guard policies, in order. Files given with `-p` replace them.'),
  scripts_folder: text(
    '',
    'Folder in which the files of `kubernetes:script` must be. Empty: any file that the server can read.',
  ),
  watch_rules: flag(true, 'Reload rules, policies and bundle when their files change. SIGHUP always does.'),
  watch_poll_seconds: count(30, [1, DAY], 'Time between looks at the files, beside the news from the file system.'),
  print_all_events: flag(false, 'Log every alert that comes in, not only those that match a rule.'),
  default_notifiers: texts([], 'Notifiers that are told about the actions of all rules.'),
  deduplication: z.object({
    leader_election: flag(true, 'Elect one of several replicas as the one that acts. Works only in Kubernetes.'),
    time_window_seconds: count(
      5,
      [0, DAY],
      'Alerts with the same output text within this time are handled once; 0: each is.',
    ),
  }),
  otel: z.object({
    traces_enabled: flag(false, 'Export traces.', { without_effect: NOT_YET }),
    metrics_enabled: flag(false, 'Push metrics. Those on `/metrics` are always there.', { without_effect: NOT_YET }),
    collector_endpoint: text('localhost', 'Host of the collector.'),
    collector_port: text('4317', 'Port of the collector (OTLP over gRPC).'),
    collector_use_insecure_grpc: flag(false, 'Talk to the collector without TLS.', {
      alias: ['otel.use_insecure_grpc'],
      env: ['OTEL_USE_INSECURE_GRPC'],
    }),
    timeout: count(10, [0, DAY], 'Seconds for an export.'),
  }),
  aws: z.object({
    role_arn: text('', 'Role to assume. Not assumed by whoever has it already.'),
    external_id: text('', 'External id for assuming the role.', {
      env: ['AWS_ROLE_EXTERNAL_ID'],
      alias: ['aws.role_external_id'],
      secret: true,
    }),
    region: text('', 'Region. Empty: where the SDK of AWS looks for one.'),
    access_key: text('', 'Access key; used with secret key and region. Empty: the default credentials.', {
      secret: true,
    }),
    secret_key: text('', 'Secret key.', { secret: true }),
    allowed_functions: texts(
      [],
      'Functions that may be invoked, as rules name them; `*` stands for any characters. Empty: all.',
    ),
  }),
  gcp: z.object({
    region: text('', 'Region.', { without_effect: 'the location of a function is a parameter of its action' }),
    credentials_path: text('', 'Path of a credentials file, or its content. Empty: the default credentials.', {
      secret: true,
    }),
    project_id: text('', 'Project. Empty: the one of the credentials.', { env: ['GOOGLE_CLOUD_PROJECT'] }),
    allowed_functions: texts(
      [],
      'Functions that may be called, as `location/name`; `*` stands for any characters. Empty: all.',
    ),
  }),
  minio: z.object({
    endpoint: text('', 'Host and port, without a scheme.'),
    access_key: text('', 'Access key.', { secret: true }),
    secret_key: text('', 'Secret key.', { secret: true }),
    use_ssl: flag(false, 'Use TLS.'),
  }),
  local: z.object({
    max_bytes: count(
      0,
      [0, 1024 * GIB],
      'Bytes of all files in a folder of the output `local:file`; what exceeds them is not stored. 0: no limit.',
    ),
  }),
  dry_run: flag(false, 'Run no action of any rule; log what would be done.', { env: ['TALON_DRY_RUN'] }),
  max_body_bytes: count(2 ** 20, [1, GIB], 'Largest alert, in bytes; a larger one is refused with 413.'),
  max_connections: count(4_096, [1, 1_000_000], 'Connections at once; further ones are closed.'),
  max_pending_events: count(
    4_096,
    [1, 1_000_000],
    'Matched alerts that wait or are being handled; further ones are refused with 503.',
  ),
  max_pending_bytes: count(64 * 2 ** 20, [1, 64 * GIB], 'Bytes of those alerts.'),
  max_pending_per_target: count(256, [1, 1_000_000], 'Of those, how many may be about one target.'),
  max_running_plans: count(16, [1, 10_000], 'Plans of different targets that run side by side.'),
  action_timeout_seconds: count(0, [0, DAY], 'Time for one try of an action; 0: what the actionner declares.'),
  retry: z.object({
    attempts: count(3, [1, 100], 'Tries of an action that may be made again, when the other side is busy.'),
    backoff_milliseconds: count(250, [1, 3_600_000], 'Time before the second try; doubled for each one after it.'),
    unreachable_seconds: count(
      600,
      [0, 7 * DAY],
      'Time for which actions wait for an API that does not answer at all.',
    ),
  }),
  notifications: z.object({
    attempts: count(12, [1, 1_000], 'Tries to send a notification before it is given up.'),
    max_pending: count(
      10_000,
      [1, 1_000_000],
      'Notifications that wait for one notifier; beyond that the oldest are given up.',
    ),
    max_per_minute: count(
      0,
      [0, 100_000],
      'Tries to send to one notifier within a minute; what is more waits. 0: no limit.',
    ),
    include_logs: flag(true, 'Send the logs that `kubernetes:log` fetched to notifiers where they go to no output.'),
  }),
  journal: z.object({
    path: text(
      '',
      'File of the journal. Empty: `/var/lib/falco-talon/journal.db`, else in the state folder of the user.',
    ),
    retention_hours: count(168, [1, 24 * 3_650], 'How long plans that ended are kept.'),
    max_bytes: count(
      GIB,
      [2 ** 20, 1024 * GIB],
      'Size of the journal beyond which the oldest ended plans are dropped.',
    ),
    max_waiting_bytes: count(
      4 * 2 ** 20,
      [1, GIB],
      'Bytes of alerts that wait for the disk; further ones are refused with 503.',
    ),
  }),
  spool: z.object({
    path: text('', 'Folder for artifacts on their way to an output. Empty: beside the journal.'),
    max_bytes: count(2 * GIB, [1, 1024 * GIB], 'Bytes of all artifacts at once.'),
    min_free_bytes: count(
      64 * 2 ** 20,
      [0, 1024 * GIB],
      'Bytes of its disk that artifacts leave free: the journal stands there too as a rule.',
    ),
  }),
  captures: z.object({
    images: texts(
      [],
      'Images to take for captures in the place of others, as `image=image`: those of a mirror, or one by its digest.',
    ),
    namespace: text('', 'Namespace of the jobs that capture on nodes. Empty: that of Talon itself.'),
  }),
  network_policies: z.object({
    protected_cidrs: texts([], 'Networks that no policy denies, such as those of nodes, services and name servers.'),
  }),
  tls: z.object({
    cert_file: text('', 'Certificate chain of the server (PEM). With it and the key, only TLS is spoken.'),
    key_file: text('', 'Key of the certificate (PEM).'),
    client_ca_file: text('', 'Authorities whose client certificates are required (mutual TLS).'),
  }),
  auth: z.object({
    bearer_tokens: texts([], 'Tokens; senders must show one of them as `Authorization: Bearer`.', { secret: true }),
    basic_users: texts([], 'Pairs `user:password`; senders must show one of them as basic authentication.', {
      secret: true,
    }),
    secret_paths: texts([], 'Paths, at least 16 characters; alerts are taken on these only, all others answer 404.', {
      secret: true,
    }),
  }),
  metrics_listen_address: text(
    '',
    'Address for metrics and health, if they have a port of their own. Empty: as for alerts.',
  ),
  metrics_listen_port: count(0, [0, 65_535], 'Port for metrics and health alone; 0: the same as for alerts.'),
  rate_limit_per_second: count(
    0,
    [0, 1_000_000],
    'Requests per second and sender address; further ones are refused with 429. 0: no limit.',
  ),
  shutdown_grace_seconds: count(25, [0, DAY], 'Time for running actions to end when the server is stopped.'),
});

/** The settings by the keys of the file. `notifiers` is apart: its keys are those of the notifiers. */
export type SettingValues = z.output<typeof settingsSchema>;

/** Groups of keys that a later version brings. */
export const LATER_KEYS = ['cluster', 'bundle', 'console'];
