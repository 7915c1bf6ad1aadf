import { ANY_PRIORITY, PRIORITIES, priorityNumber } from '../src/model/priority.ts';
import type { FieldTerm, MatchTerms, PolicyRule } from '../src/model/rule.ts';
import type { BenchAlert } from './bench-alert.ts';
import { plainLoop } from './plain-loop.ts';

// Alerts and rules as Falco and its users write them, made from a seed: every run and every contender sees the same ones.

export interface RuleSet {
  readonly rules: readonly PolicyRule[];
  /** Positions of the alerts that match at least one rule. */
  readonly matching: ReadonlySet<number>;
}

const ALERTS = 200;
/** Every twentieth alert may match. */
const MATCH_EVERY = 20;
const MATCH_OFFSET = 7;

class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** mulberry32 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  chance(probability: number): boolean {
    return this.next() < probability;
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
  hex(length: number): string {
    return Array.from({ length }, () => this.below(16).toString(16)).join('');
  }
}

const STOCK_RULES = [
  'Terminal shell in container',
  'Read sensitive file untrusted',
  'Contact K8S API Server From Container',
  'Drop and execute new binary in container',
  'Netcat Remote Code Execution in Container',
  'Search Private Keys or Passwords',
  'Clear Log Activities',
  'Redirect STDOUT/STDIN to Network Connection in Container',
  'Directory traversal monitored file read',
  'Linux Kernel Module Injection Detected',
  'Debugfs Launched in Privileged Container',
  'Detect release_agent File Container Escapes',
  'PTRACE attached to process',
  'Packet socket created in container',
  'Fileless execution via memfd_create',
  'Execution from /dev/shm',
  'Disallowed SSH Connection Non Standard Port',
  'System user interactive',
  'Run shell untrusted',
];
const NAMES = [
  ...STOCK_RULES,
  ...Array.from({ length: 380 }, (_, n) => `Acme detection ${n}: ${['nginx', 'redis', 'billing', 'batch'][n % 4]}`),
];
const LEVELS = PRIORITIES.slice(1);
const SOURCES = ['syscall', 'syscall', 'syscall', 'k8s_audit', 'aws_cloudtrail', 'okta'];
const TAGS = [
  ...['network', 'filesystem', 'process', 'container', 'host', 'shell', 'k8s', 'cis'],
  ...['maturity_stable', 'maturity_sandbox', 'maturity_incubating', 'mitre_execution', 'mitre_persistence'],
  ...['mitre_discovery', 'mitre_exfiltration', 'mitre_defense_evasion', 'mitre_privilege_escalation'],
  ...['T1059', 'T1552.001', 'T1565', 'T1083', 'T1611', 'PCI_DSS_10.2.5', 'NIST_800-53_AC-6'],
];
const NAMESPACES = [
  ...['default', 'kube-system', 'falco', 'monitoring', 'billing', 'payments', 'ingress-nginx', 'batch', 'staging'],
  ...Array.from({ length: 90 }, (_, n) => `team-${n}`),
];
const PROCESSES = [
  ...['bash', 'sh', 'nginx', 'python3', 'node', 'java', 'redis-server', 'curl', 'wget', 'nc', 'ls', 'cat', 'runc'],
  ...Array.from({ length: 60 }, (_, n) => `app-${n}`),
];
const USERS = ['root', 'www-data', 'nobody', 'app'];
const IMAGES = ['docker.io/library/nginx', 'docker.io/library/redis', 'ghcr.io/acme/billing', 'quay.io/acme/batch'];
const SYSCALLS = ['execve', 'openat', 'connect', 'ptrace'];

/** 200 different alerts of 1.0 to 1.5 KB. */
export function benchAlerts(): BenchAlert[] {
  const dice = new Dice(42);
  return Array.from({ length: ALERTS }, () => alert(dice));
}

function alert(dice: Dice): BenchAlert {
  const rule = dice.pick(NAMES);
  const priority = dice.pick(LEVELS);
  const fields = outputFields(dice);
  const text = Object.entries(fields)
    .filter(([key]) => /^(user\.name|proc\.(name|pname|cmdline|exepath|tty)|container\.(id|image)|k8s)/.test(key))
    .map(([key, value]) => `${key.replaceAll('.', '_')}=${value}`);
  const clock = `${String(dice.below(24)).padStart(2, '0')}:${String(dice.below(60)).padStart(2, '0')}`;
  return {
    uuid: [8, 4, 4, 4, 12].map((length) => dice.hex(length)).join('-'),
    output: `${clock}:12.${String(dice.below(1e9)).padStart(9, '0')}: ${priority} ${rule} (${text.join(' ')})`,
    priority,
    rule,
    time: `2025-03-01T${clock}:12.123456789Z`,
    source: dice.pick(SOURCES),
    output_fields: fields,
    hostname: `ip-10-0-${dice.below(255)}-${dice.below(255)}.ec2.internal`,
    tags: [...new Set(Array.from({ length: 3 + dice.below(4) }, () => dice.pick(TAGS)))],
  };
}

function outputFields(dice: Dice): Record<string, string | number | null> {
  const process = dice.pick(PROCESSES);
  const command = `${process} ${dice.pick(['-c', '--run'])} ${dice.pick(['"echo hi"', '/etc/shadow', "'id && whoami'"])}`;
  const octet = () => dice.below(255);
  const fields: Record<string, string | number | null> = {
    'evt.time': 1_700_000_000_000_000_000 + dice.below(1e9) * 256,
    'evt.type': dice.pick(SYSCALLS),
    'evt.arg.flags': dice.pick(['EXE_WRITABLE|EXE_LOWER_LAYER', 'O_RDONLY', 'O_WRONLY|O_CREAT']),
    'evt.res': 'SUCCESS',
    'container.id': dice.hex(12),
    'container.name': `${dice.pick(['app', 'sidecar', 'proxy'])}-${dice.hex(4)}`,
    'container.image.repository': dice.pick(IMAGES),
    'container.image.tag': dice.pick(['latest', '1.27', 'v2.3.1']),
    'k8s.ns.name': dice.pick(NAMESPACES),
    'k8s.pod.name': `${dice.pick(['api', 'web', 'worker', 'cron'])}-${dice.hex(9)}-${dice.hex(5)}`,
    'user.name': dice.pick(USERS),
    'user.uid': dice.below(2000),
    'user.loginuid': -1,
    'proc.name': process,
    'proc.pname': dice.pick(PROCESSES),
    'proc.cmdline': command,
    'proc.exepath': `/usr/bin/${process}`,
    'proc.tty': dice.chance(0.5) ? 34816 : 0,
    'proc.pid': dice.below(400_000),
    'fd.name': `10.${octet()}.${octet()}.${octet()}:${1024 + dice.below(60_000)}->${octet()}.1.2.3:443`,
    'fd.sport': dice.pick([22, 80, 443, 6443, 8080, 9000 + dice.below(500)]),
    'fd.l4proto': dice.pick(['tcp', 'udp', null]),
  };
  for (const key of ['fd.l4proto', 'evt.arg.flags', 'container.image.tag', 'proc.tty', 'k8s.pod.name']) {
    if (dice.chance(0.2)) delete fields[key];
  }
  return fields;
}

/**
 * So many rules of which about every twentieth alert matches some, and the others none.
 * @param named whether most rules ask for names of Falco rules, as users are told to; otherwise none does
 */
export function benchRules(count: number, { named }: { named: boolean }): RuleSet {
  const dice = new Dice(named ? count : count + 1);
  const alerts = benchAlerts();
  const targets = Array.from({ length: ALERTS / MATCH_EVERY }, (_, n) => n * MATCH_EVERY + MATCH_OFFSET);
  const rules: PolicyRule[] = [];
  while (rules.length < count) {
    // The first ones are made to match one target each, the others whatever they may.
    const target = rules.length < targets.length ? targets[rules.length] : undefined;
    const aim = target !== undefined ? alerts[target] : dice.chance(0.003) ? alerts[dice.pick(targets)] : undefined;
    const match = criteria(dice, aim, named);
    const matched = matchedBy(match, alerts);
    const fits = target === undefined ? matched.every((n) => targets.includes(n)) : matched.join() === String(target);
    if (fits) rules.push(benchRule(rules.length, match, !dice.chance(0.2)));
  }
  spread(dice, rules, targets.length);
  return { rules, matching: new Set(targets) };
}

function matchedBy(match: MatchTerms, alerts: readonly BenchAlert[]): number[] {
  const rules = [benchRule(0, match, true)];
  return alerts.flatMap((alert, position) => (plainLoop(rules, alert).length > 0 ? [position] : []));
}

/** Puts the rules that are sure to match at places all over the list. */
function spread(dice: Dice, rules: PolicyRule[], sure: number): void {
  for (let n = 0; n < Math.min(sure, rules.length); n++) {
    const other = dice.below(rules.length);
    [rules[n], rules[other]] = [rules[other] as PolicyRule, rules[n] as PolicyRule];
  }
}

function benchRule(index: number, match: MatchTerms, continues: boolean): PolicyRule {
  return {
    rule: `rule ${index}`,
    description: 'A rule of the benchmark',
    continue: continues,
    dry_run: false,
    notifiers: ['slack'],
    actions: [
      {
        action: 'Label the pod',
        description: '',
        actionner: 'kubernetes:label',
        continue: true,
        ignore_errors: false,
        parameters: { labels: { suspicious: 'true' } },
        additional_contexts: [],
        output: null,
        written: {},
      },
    ],
    written: {},
    match,
  };
}

/** Criteria in the proportions of real rules files, true of the alert that they are aimed at. */
function criteria(dice: Dice, aim: BenchAlert | undefined, named: boolean): MatchTerms {
  const kind = named ? dice.next() : 0.6 + 0.35 * dice.next();
  const names = (most: number) =>
    Array.from({ length: 1 + dice.below(most) }, () => (aim && dice.chance(0.8) ? aim.rule : dice.pick(NAMES)));
  const lists = (most: number, terms: number, negated: number) =>
    Array.from({ length: 1 + dice.below(most) }, () =>
      Array.from({ length: terms }, () => term(dice, aim, dice.chance(negated))),
    );
  // Low enough for the alert that is aimed at.
  const highest = aim ? priorityNumber(aim.priority) : 8;
  const atLeast = (from: number) => {
    const lowest = Math.min(from, highest);
    const level = lowest + dice.below(highest + 1 - lowest);
    return { text: `>=${PRIORITIES[level]}`, accepts: ANY_PRIORITY & ~((1 << level) - 1) };
  };
  const any = { text: '', accepts: ANY_PRIORITY };
  const empty: MatchTerms = { rules: [], priority: any, source: '', tags: [], output_fields: [], condition: '' };
  if (kind < 0.6) {
    const priority = dice.chance(0.3) ? atLeast(1) : any;
    return { ...empty, rules: names(3), output_fields: lists(2, 1 + dice.below(3), 0.5), priority };
  }
  if (kind < 0.75) return { ...empty, output_fields: lists(2, 3, 0.2), priority: atLeast(4) };
  if (kind < 0.9) {
    const tags = () => (aim ? aim.tags.slice(0, 3) : [dice.pick(TAGS), dice.pick(TAGS), dice.pick(TAGS)]);
    const alternatives = Array.from({ length: 1 + dice.below(2) }, tags);
    return { ...empty, tags: alternatives, output_fields: lists(1, 2, 0.2), priority: atLeast(3) };
  }
  if (kind < 0.95) {
    return {
      ...empty,
      source: aim?.source ?? dice.pick(SOURCES),
      priority: atLeast(6),
      output_fields: lists(1, 3, 0.2),
    };
  }
  return { ...empty, rules: names(1), tags: [[dice.pick(TAGS)]], priority: atLeast(1) };
}

function term(dice: Dice, aim: BenchAlert | undefined, negated: boolean): FieldTerm {
  const values = {
    'k8s.ns.name': dice.pick(NAMESPACES),
    'proc.name': dice.pick(PROCESSES),
    'proc.pname': dice.pick(PROCESSES),
    'user.name': dice.pick(USERS),
    'fd.sport': String(dice.pick([22, 80, 443, 6443, 8080, 9000 + dice.below(500)])),
    'container.image.repository': dice.pick(IMAGES),
    'evt.type': dice.pick(SYSCALLS),
    'fd.l4proto': dice.pick(['tcp', 'udp']),
  };
  const [key, value] = dice.pick(Object.entries(values));
  if (negated) return { key, operator: '!=', value };
  return { key, operator: '=', value: String(aim?.output_fields[key] ?? value) };
}
