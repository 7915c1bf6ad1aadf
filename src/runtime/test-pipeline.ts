import { z } from 'zod';
import { type Actionner, type Behaviour, defineActionner } from '../model/definition.ts';
import type { Journal } from '../model/journal.ts';
import type { Outcome } from '../model/outcome.ts';
import type { PlannedAction, PlannedRule } from '../model/rule.ts';
import type { Telemetry, Transition } from '../model/transition.ts';
import { Apis } from './apis.ts';
import { DedupWindow } from './dedup.ts';
import type { Guard } from './guards/guard.ts';
import { Lanes } from './lanes.ts';
import { MemoryJournal } from './memory-journal.ts';
import { type Admission, Pipeline, type PipelineOptions } from './pipeline.ts';
import type { Executor } from './plugins/execute.ts';
import type { StepToRun } from './plugins/run-actionner.ts';
import type { Policy } from './policy.ts';

export const SUCCESS: Outcome = { status: 'success', output: 'done', objects: { pod: 'web' } };
export const IGNORED: Outcome = { status: 'ignored', result: 'not now', objects: {} };

export function failure(code: (Outcome & { status: 'failure' })['code'] = 'refused'): Outcome {
  return { status: 'failure', code, error: code, objects: {} };
}

/** What one try of an action does and comes to. */
export type Play = (step: StepToRun, signal: AbortSignal) => Promise<Outcome> | Outcome;

/** What the tries of actions come to, by their names: in turn, the last one for all that follow. */
export type Script = Readonly<Record<string, readonly (Outcome | Play | 'missing' | 'throws' | 'hangs')[]>>;

export interface WorldOptions extends Partial<Omit<PipelineOptions, 'journal' | 'lanes'>> {
  readonly journal?: MemoryJournal;
  readonly lanes?: Lanes;
  readonly guard?: Guard;
  /** What outputs say. */
  readonly check?: Executor['check'];
  readonly store?: Executor['store'];
  /** What is declared of the actionners that is not as usual, by the names of the actions. */
  readonly declared?: Readonly<Record<string, Partial<Pick<Actionner, 'artifact' | 'usesContext'>>>>;
  /** Behaviour of the actionners that is not as usual, by the names of the actions. */
  readonly behaviours?: Readonly<Record<string, Partial<Behaviour<unknown, never>>>>;
}

export const allowAll: Guard = async () => ({ kind: 'allow', budgets: [], monitored: [] });

/** A pipeline whose actions do what a script says, on a journal in memory. */
export class World {
  readonly told: Transition[] = [];
  readonly notified: string[] = [];
  readonly stopping = new AbortController();
  readonly over = new AbortController();
  readonly journal: MemoryJournal;
  readonly lanes: Lanes;
  readonly apis: Apis;
  readonly pipeline: Pipeline;
  readonly #guard: Guard;
  readonly #tries = new Map<string, number>();

  constructor(
    script: Script,
    { journal, lanes, guard, behaviours = {}, declared = {}, ...options }: WorldOptions = {},
  ) {
    const telemetry: Telemetry = { emit: (transition) => void this.told.push(transition), accepted: () => undefined };
    this.journal = journal ?? new MemoryJournal();
    this.lanes = lanes ?? new Lanes({ tasks: 100, bytes: 100_000, perLane: 100, running: 10 });
    this.apis = options.apis ?? new Apis(telemetry.emit);
    this.#guard = guard ?? allowAll;
    this.pipeline = new Pipeline({
      actionners: new Map(
        Object.keys(script).map((name) => [
          `test:${name}`,
          { ...actionner(name, behaviours[name]), ...declared[name] },
        ]),
      ),
      executor: {
        missing: ({ id }) => (script[nameOf(id)]?.[0] === 'missing' ? 'missing pod name' : undefined),
        run: (step, signal) => this.#play(script, step, signal),
        check: options.check ?? (async () => undefined),
        store: options.store ?? (async () => SUCCESS),
      },
      outputs: new Map(),
      artifacts: { has: () => true, discard: () => undefined },
      contexts: { of: async () => ({ values: new Map(), problems: [] }) },
      apis: this.apis,
      notices: {
        of: ({ step }, ended) => {
          const { status } = ended.kind === 'action' ? ended.end : ended.outcome;
          this.notified.push(`${step.head.action} ${status}`);
          return [];
        },
        post: () => undefined,
      },
      dedup: new DedupWindow(5, () => 0),
      lanes: this.lanes,
      journal: this.journal as Journal,
      telemetry,
      logsEvents: true,
      dryRun: false,
      actionTimeout: 0,
      retry: { attempts: 3, backoff_milliseconds: 1, unreachable_seconds: 600 },
      onFull: () => undefined,
      policyOf: async () => undefined,
      now: Date.now,
      stopping: this.stopping.signal,
      signal: this.over.signal,
      ...options,
    });
  }

  /** The transitions as short texts. */
  get shown(): readonly string[] {
    return this.told.map(shown);
  }

  policy(rules: readonly PlannedRule[], revision = 'r'): Policy {
    return { revision, rules, guard: this.#guard };
  }

  /** Hands an alert over for which all of these rules matched. */
  admit(rules: readonly PlannedRule[], body = alertBody()): Promise<Admission> {
    const { rule, output } = JSON.parse(body.toString()) as { rule: string; output: string };
    const head = { rule, priority: '', source: 'syscall', output, trace_id: 't' };
    return new Promise((resolve) => {
      this.pipeline.admit({ head, body, policy: this.policy(rules), rules: rules.map((_, index) => index) }, resolve);
    });
  }

  /** Runs all rules for one alert to the end. */
  async run(rules: readonly PlannedRule[]): Promise<this> {
    await this.admit(rules);
    await this.lanes.idle();
    return this;
  }

  async #play(script: Script, step: StepToRun, signal: AbortSignal): Promise<Outcome> {
    const name = nameOf(step.actionner.id);
    const tries = script[name] ?? [];
    const made = this.#tries.get(name) ?? 0;
    this.#tries.set(name, made + 1);
    const play = tries[Math.min(made, tries.length - 1)];
    if (play === 'throws') throw new Error('a defect');
    if (typeof play === 'function') return play(step, signal);
    if (play !== 'hangs') return play as Outcome;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return { status: 'failure', code: 'unreachable', error: 'given up', objects: {} };
  }
}

export function alertBody({ output = 'x', rule: name = 'Falco', pod = 'web' } = {}): Buffer {
  return Buffer.from(
    JSON.stringify({ output, rule: name, output_fields: { 'k8s.pod.name': pod, 'k8s.ns.name': 'shop' } }),
  );
}

export function rule(
  name: string,
  actions: readonly PlannedAction[],
  settings: Partial<PlannedRule> = {},
): PlannedRule {
  return {
    rule: name,
    description: '',
    continue: true,
    dry_run: false,
    notifiers: [],
    actions,
    written: {},
    ...settings,
  };
}

export function action(name: string, settings: Partial<PlannedAction> = {}): PlannedAction {
  return {
    action: name,
    description: '',
    actionner: `test:${name}`,
    continue: true,
    ignore_errors: false,
    parameters: null,
    additional_contexts: [],
    output: null,
    written: {},
    ...settings,
  };
}

function actionner(name: string, behaviour: Partial<Behaviour<unknown, never>> = {}): Actionner {
  const made = defineActionner({
    id: `test:${name}`,
    description: '',
    sources: [],
    continue: true,
    usesContext: false,
    artifact: 'none',
    requires: [],
    parameters: z.object({}),
    example: '',
    behaviour: {
      idempotent: true,
      uses: [],
      deadline: 60,
      writes: () => ['pod'],
      run: async () => ({ status: 'success', output: '', objects: {} }),
      ...behaviour,
    },
  });
  return made as unknown as Actionner;
}

function nameOf(id: string): string {
  return id.slice('test:'.length);
}

function shown(transition: Transition): string {
  switch (transition.kind) {
    case 'match':
      return `match ${transition.rule}`;
    case 'ended':
      return `ended ${transition.step.action} ${transition.outcome.status}`;
    case 'started':
    case 'dry_run':
      return `${transition.kind} ${transition.step.action}`;
    case 'retrying':
      return `retrying ${transition.step.action} ${transition.attempt}`;
    case 'check_failed':
      return `check_failed ${transition.step.action} ${transition.error}`;
    case 'denied':
    case 'parked':
    case 'monitored':
      return `${transition.kind} ${transition.step.action} ${transition.reason}`;
    case 'stored':
      return `stored ${transition.step.action} ${transition.stored.outcome.status}`;
    case 'context_failed':
      return `context_failed ${transition.context}: ${transition.error}`;
    case 'closed':
      return `closed ${transition.state}: ${transition.reason}`;
    case 'crashed':
      return `crashed ${transition.rule}: ${transition.error}`;
    default:
      return transition.kind;
  }
}
