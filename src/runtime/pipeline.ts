import { decodeEvent } from '../model/decode-event.ts';
import type { Actionner } from '../model/definition.ts';
import type { FalcoEvent } from '../model/falco-event.ts';
import type { AcceptedAlert, Journal, OpenPlan } from '../model/journal.ts';
import type { PlannedRule } from '../model/rule.ts';
import type { AlertHead, Telemetry } from '../model/transition.ts';
import { type DedupWindow, dedupKey } from './dedup.ts';
import { LaneKeys } from './lane-keys.ts';
import type { Lanes, Slot } from './lanes.ts';
import { type PlanStages, runPlan } from './plans/plan-run.ts';
import { PlanHistory } from './plans/resume.ts';
import type { Policy } from './policy.ts';

/** Bytes of alerts in line up to which they stay decoded until it is their turn. */
const KEPT_DECODED = 512 * 1024;

/**
 * Tries of one step that may be cut off by an end of the server, before its plan is held to be the cause. Not fewer: whatever
 * else ends a server again and again as soon as it has started (its memory limit, a probe) cuts off the same first plans.
 */
const MOST_CUT_OFF = 10;

/** An alert for which rules matched. */
export interface MatchedAlert {
  readonly head: AlertHead;
  /** Valid UTF-8. */
  readonly body: Uint8Array;
  /** The rules by which it was judged; its plan keeps them. */
  readonly policy: Policy;
  /** Indices of the matched rules, in the order in which they are run. */
  readonly rules: readonly number[];
}

/** What became of an alert at the door. The first two say that it, or the one that it repeats, is on disk. */
export type Admission = 'accepted' | 'duplicate' | 'full' | 'unreadable' | 'not_stored';

/** What is known when a plan lines up. */
interface RunGiven {
  readonly rules: readonly PlannedRule[];
  readonly event?: FalcoEvent | undefined;
  readonly resumed?: boolean;
}

export interface PipelineOptions extends PlanStages {
  readonly actionners: ReadonlyMap<string, Actionner>;
  readonly dedup: DedupWindow;
  readonly lanes: Lanes;
  readonly journal: Journal;
  readonly telemetry: Telemetry;
  /** Told of each alert for which there is no room. */
  readonly onFull: () => void;
  /** Rules and guard of an earlier revision, for plans that were made with it; undefined when they are not to be had. */
  readonly policyOf: (revision: string) => Promise<Policy | undefined>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * The order of the stages: dedup, journal, and once the alert is on disk, in the lanes of what it is about, its plan. Alerts
 * about different things run side by side. What is on disk is done, whatever happens to the process: `resume` goes on with it.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #laneKeys: LaneKeys;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#laneKeys = new LaneKeys(options.actionners);
  }

  /** Takes an alert, or not. `decided` is called once; not before the alert is on disk, if it is taken. */
  admit({ head, body, policy, rules }: MatchedAlert, decided: (admission: Admission) => void): void {
    const { telemetry, dedup, lanes, journal, now } = this.#options;
    const decoded = decodeEvent(body);
    if (!decoded.ok) {
      // The scanner read it a moment ago, and both read alike; should they ever not, no action is better than a guess.
      telemetry.emit({ kind: 'crashed', alert: head, error: 'the alert was evaluated, but cannot be decoded' });
      decided('unreadable');
      return;
    }
    const { event } = decoded;
    const key = dedupKey(head.output, () => event);
    const repeats = dedup.repeats(key, (stored) => {
      if (stored) telemetry.emit({ kind: 'duplicate', alert: head });
      decided(stored ? 'duplicate' : 'not_stored');
    });
    if (repeats) return;
    const planned = rulesOf(policy, rules);
    const keys = this.#laneKeys.of(event, planned);
    if (!lanes.hasRoom(keys, body.length) || !journal.hasRoom(body.length)) {
      this.#options.onFull();
      decided('full');
      return;
    }
    const settle = dedup.open(key);
    const ticket = lanes.enter(keys, body.length);
    // Of those who wait long only the bytes are kept: objects take several times as much, and thousands may wait.
    const kept = lanes.bytes <= KEPT_DECODED ? event : undefined;
    const { revision } = policy;
    const alert = { id: journal.newId(), at: now(), key, revision, rules, traceId: head.trace_id, body };
    const task = this.#taskOf({ alert, progress: [] }, policy, { rules: planned, event: kept });
    journal.accept(alert, (stored) => {
      decided(stored ? 'accepted' : 'not_stored');
      settle(stored);
      if (stored) ticket.start(task);
      else ticket.leave();
    });
  }

  /**
   * Goes on with plans of the journal, in the order in which their alerts came, whether there is room or not. Those that
   * cannot be gone on with are closed as dead. Resolves once all are in line.
   *
   * @returns how many go on
   */
  async resume(plans: readonly OpenPlan[]): Promise<number> {
    const policies = new Map<string, Promise<Policy | undefined>>();
    const inLine: (() => void)[] = [];
    for (const plan of plans) {
      const { alert } = plan;
      const known = policies.get(alert.revision) ?? this.#options.policyOf(alert.revision);
      policies.set(alert.revision, known);
      const policy = await known;
      const problem = problemOf(plan, policy);
      if (policy && problem === undefined) inLine.push(this.#lineUp(plan, policy));
      else this.#bury(alert, problem ?? '');
    }
    for (const start of inLine) start();
    return inLine.length;
  }

  /** Takes a place in line for a plan. Returns what starts it. */
  #lineUp(plan: OpenPlan, policy: Policy): () => void {
    const { alert } = plan;
    const rules = rulesOf(policy, alert.rules);
    const keys = this.#laneKeys.of(eventOf(alert), rules);
    const ticket = this.#options.lanes.enter(keys, alert.body.length);
    const task = this.#taskOf(plan, policy, { rules, resumed: true });
    return () => ticket.start(task);
  }

  /**
   * What runs a plan when it is its turn. Made here and not where the alert came in: a function keeps all that the functions
   * beside it use, the request and its answer for example, and thousands may wait.
   */
  #taskOf(plan: OpenPlan, policy: Policy, given: RunGiven): (slot: Slot) => Promise<void> {
    return (slot) => this.#run(plan, policy, slot, given);
  }

  async #run(
    { alert, progress }: OpenPlan,
    policy: Policy,
    slot: Slot,
    { rules, event = eventOf(alert), resumed = false }: RunGiven,
  ): Promise<void> {
    const { rule, priority, source, output } = event;
    const head = { rule, priority, source, output, trace_id: alert.traceId };
    const history = new PlanHistory(progress);
    await runPlan({ alert, head, event, policy, rules, history, resumed, slot }, this.#options);
  }

  /** Nothing waits for that to be on disk: the next start would come to the same end. */
  #bury(alert: AcceptedAlert, reason: string): void {
    const { telemetry, journal } = this.#options;
    const head = { rule: '', priority: '', source: '', output: '', trace_id: alert.traceId };
    telemetry.emit({ kind: 'closed', alert: head, id: alert.id, state: 'dead', reason });
    journal.close(alert.id, { state: 'dead', reason }).catch(() => undefined);
  }
}

/** The event of an alert that was read before. */
function eventOf({ body }: AcceptedAlert): FalcoEvent {
  const decoded = decodeEvent(body);
  if (!decoded.ok) throw new Error('the alert cannot be read any more');
  return decoded.event;
}

/** Why a plan cannot be gone on with. */
function problemOf({ alert, progress }: OpenPlan, policy: Policy | undefined): string | undefined {
  if (!policy) return `the rules that it was made with (revision ${alert.revision}) are gone`;
  if (alert.rules.some((index) => !policy.rules[index])) return 'it is made of rules that its revision does not have';
  if (!decodeEvent(alert.body).ok) return 'its alert cannot be read';
  const history = new PlanHistory(progress);
  const next = history.next(rulesOf(policy, alert.rules));
  if (!next || history.step(next.number).cutOff < MOST_CUT_OFF) return undefined;
  return `the server ended ${MOST_CUT_OFF} times in the middle of the action '${next.action.action}'`;
}

function rulesOf(policy: Policy, indices: readonly number[]): readonly PlannedRule[] {
  const rules: PlannedRule[] = [];
  for (const index of indices) {
    const rule = policy.rules[index];
    if (rule) rules.push(rule);
  }
  return rules;
}
