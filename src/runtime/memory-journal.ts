import type {
  AcceptedAlert,
  BudgetUse,
  Conclusion,
  DatedProgress,
  Journal,
  NoticeResult,
  OpenPlan,
  PendingNotice,
  PlanState,
  Progress,
  QueuedNotice,
  StoredPolicy,
} from '../model/journal.ts';

interface Kept {
  readonly alert: AcceptedAlert;
  readonly progress: DatedProgress[];
  state: PlanState;
  reason: string;
}

/** What can be made to go wrong, for tests. */
export interface MemoryJournalFaults {
  /** Whether alerts can be written. */
  stores: boolean;
  room: boolean;
}

/**
 * A journal that forgets all when the process ends: for tests of what stands on a journal. It keeps the order of the durable
 * one, and like that one says that something is recorded only in a later turn.
 */
export class MemoryJournal implements Journal {
  readonly faults: MemoryJournalFaults = { stores: true, room: true };
  readonly plans = new Map<number, Kept>();
  readonly policies = new Map<string, StoredPolicy>();
  /** By their ids. */
  readonly notices = new Map<number, QueuedNotice & { readonly dead?: boolean }>();
  #nextId = 1;
  #nextNotice = 1;
  #ended = false;
  #reopened: (plan: OpenPlan) => void = () => undefined;
  #resent: (notices: readonly PendingNotice[]) => void = () => undefined;

  /** @param plans what was there before a restart, and the notices beside them */
  constructor(plans: readonly OpenPlan[] = [], notices: readonly QueuedNotice[] = []) {
    for (const { alert, progress } of plans) {
      this.plans.set(alert.id, { alert, progress: [...progress], state: 'open', reason: '' });
      this.#nextId = Math.max(this.#nextId, alert.id + 1);
    }
    for (const notice of notices) {
      this.notices.set(notice.id, notice);
      this.#nextNotice = Math.max(this.#nextNotice, notice.id + 1);
    }
  }

  newId(): number {
    return this.#nextId++;
  }

  hasRoom(): boolean {
    return this.faults.room;
  }

  accept(alert: AcceptedAlert, recorded: (stored: boolean) => void): void {
    setImmediate(() => {
      const { stores } = this.faults;
      if (stores) this.plans.set(alert.id, { alert, progress: [], state: 'open', reason: '' });
      recorded(stores);
    });
  }

  append(
    alert: number,
    progress: Progress,
    conclusion?: Conclusion,
    notices: readonly QueuedNotice[] = [],
  ): Promise<void> {
    return this.#write(() => {
      for (const notice of notices) this.notices.set(notice.id, notice);
      const plan = this.plans.get(alert);
      plan?.progress.push({ ...progress, at: Date.now() });
      Object.assign(plan ?? {}, conclusion);
    });
  }

  close(alert: number, conclusion: Conclusion): Promise<void> {
    return this.#write(() => Object.assign(this.plans.get(alert) ?? {}, conclusion));
  }

  keepPolicy(policy: StoredPolicy): Promise<void> {
    return this.#write(() => this.policies.set(policy.revision, policy));
  }

  async policy(revision: string): Promise<StoredPolicy | undefined> {
    return this.policies.get(revision);
  }

  async openPlans(): Promise<readonly OpenPlan[]> {
    return [...this.plans.values()].filter(({ state }) => state === 'open').sort((a, b) => a.alert.id - b.alert.id);
  }

  async acceptedSince(at: number): Promise<readonly { readonly key: string; readonly at: number }[]> {
    return [...this.plans.values()].map(({ alert }) => alert).filter((alert) => alert.at >= at);
  }

  async budgetsUsedSince(since: number): Promise<readonly BudgetUse[]> {
    return [...this.plans.values()].flatMap(({ alert, progress }) =>
      progress.flatMap((each) =>
        each.kind === 'reserved' && each.at >= since
          ? each.budgets.map((key) => ({ key, at: each.at, alert: alert.id, step: each.step }))
          : [],
      ),
    );
  }

  newNoticeId(): number {
    return this.#nextNotice++;
  }

  async openNotices(): Promise<readonly PendingNotice[]> {
    return [...this.notices.values()].filter(({ dead }) => !dead).sort((a, b) => a.id - b.id);
  }

  async notice(id: number): Promise<QueuedNotice | undefined> {
    return this.notices.get(id);
  }

  settleNotice(id: number, result: NoticeResult): Promise<void> {
    return this.#write(() => {
      const known = this.notices.get(id);
      if (!known) return;
      const { kind, ...change } = result;
      if (kind === 'sent') this.notices.delete(id);
      else this.notices.set(id, { ...known, ...change, dead: kind === 'dead' });
    });
  }

  onResent(listener: (notices: readonly PendingNotice[]) => void): void {
    this.#resent = listener;
  }

  /** What an operator does with `talon journal resend`. */
  resend(id: number): void {
    const known = this.notices.get(id);
    if (!known?.dead) throw new Error(`no dead notice ${id}`);
    const again = { ...known, dead: false, attempts: 0, nextAt: 0 };
    this.notices.set(id, again);
    this.#resent([again]);
  }

  onReopened(listener: (plan: OpenPlan) => void): void {
    this.#reopened = listener;
  }

  /** What an operator does with `talon journal retry`. */
  reopen(id: number): void {
    const plan = this.plans.get(id);
    if (!plan) throw new Error(`no plan ${id}`);
    plan.progress.push({ kind: 'reopened', at: Date.now() });
    plan.state = 'open';
    this.#reopened(plan);
  }

  onHealth(_listener: (writable: boolean, reason: string) => void): void {}

  async end(): Promise<void> {
    this.#ended = true;
  }

  async #write(change: () => unknown): Promise<void> {
    if (this.#ended) throw new Error('the journal is closed');
    change();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
