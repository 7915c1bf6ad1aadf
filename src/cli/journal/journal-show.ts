import { decodeEvent } from '../../model/decode-event.ts';
import type { DatedProgress, Stored } from '../../model/journal.ts';
import { jsonText } from '../../model/json-text.ts';
import type { Artifact, StepEnd } from '../../model/outcome.ts';
import { TalonError } from '../../model/talon-error.ts';
import { escapeUnprintable } from '../../platform/telemetry/log-line.ts';
import { jsonDocument } from '../json-document.ts';
import type { CommandContext } from '../talon-command.ts';
import type { JournalFlags } from './journal-flags.ts';
import { type NoticeSummary, summarizeNotice } from './journal-notices.ts';
import { moment, type PlannedStep, type PlanSummary, stepsOf, summarize } from './journal-record.ts';
import { journalFileOf, withJournal } from './with-journal.ts';

/** All that the journal knows of a plan. */
interface PlanPage {
  readonly plan: PlanSummary;
  readonly body: Uint8Array;
  /** Whether the rules that made the plan are in the journal. */
  readonly isPolicyKnown: boolean;
  readonly steps: readonly PlannedStep[];
  readonly progress: readonly DatedProgress[];
  /** That wait or were given up. */
  readonly notices: readonly NoticeSummary[];
}

/** `journal show`: everything about one plan. @throws TalonError when there is none with this number */
export function journalShow(context: CommandContext, id: number, flags: JournalFlags): number {
  const page = withJournal(context, flags, (desk): PlanPage => {
    const record = desk.plan(id);
    if (!record) throw new TalonError('journal', `there is no plan ${id} in ${journalFileOf(context, flags)}`);
    const { revision, rules, body } = record.alert;
    const policy = desk.policy(revision);
    const steps = stepsOf(policy, rules);
    const isPolicyKnown = policy !== undefined;
    const notices = desk.noticesOf(id).map(summarizeNotice);
    return { plan: summarize(desk, record), body, isPolicyKnown, steps, progress: desk.progress(id), notices };
  });
  context.terminal.out(flags.format === 'json' ? asJson(page) : asText(page));
  return 0;
}

function asJson({ plan, body, steps, progress, notices }: PlanPage): string {
  const document = {
    ...plan,
    alert: alertOf(body),
    steps: steps.map(({ rule, action: { action, actionner, parameters } }, step) => ({
      step,
      rule,
      action,
      actionner,
      parameters,
    })),
    progress: progress.map(({ at, ...what }) => ({ at: moment(at), ...what })),
    notices,
  };
  return jsonDocument(document);
}

/** The alert as JSON where it is some, else as text. */
function alertOf(body: Uint8Array): unknown {
  const text = new TextDecoder().decode(body);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function asText({ plan, body, isPolicyKnown, steps, progress, notices }: PlanPage): string {
  const ofPlan = progress.filter((each) => each.kind === 'reopened');
  const lines = [
    `plan ${plan.id}: ${plan.state}${plan.reason ? `, ${plan.reason}` : ''}`,
    `  accepted  ${plan.accepted_at}`,
    ...(plan.ended_at === undefined ? [] : [`  ended     ${plan.ended_at}`]),
    ...ofPlan.map((each) => `  ${progressText(each)}  ${moment(each.at)}`),
    `  trace     ${plan.trace_id}`,
    `  revision  ${plan.revision}${isPolicyKnown ? '' : ' (its rules are not in the journal)'}`,
    'alert',
    ...alertLines(body),
    ...stepNumbers(steps, progress).flatMap((step) => stepLines(step, steps[step], progress)),
    ...(notices.length > 0 ? ['notices', ...notices.map(noticeText)] : []),
  ];
  return lines.map((line) => `${escapeUnprintable(line)}\n`).join('');
}

function noticeText({ id, step, notifier, state, attempts, next_at, error, notice }: NoticeSummary): string {
  const what = `  ${id}: ${notifier} about the ${notice.message} of step ${step}`;
  const tries = attempts > 0 ? ` after ${attempts} ${attempts === 1 ? 'try' : 'tries'}` : '';
  const how = state === 'dead' ? `given up${tries}` : `waits${tries}, until ${next_at}`;
  return `${what}, ${how}${error === undefined ? '' : `: ${error}`}`;
}

function alertLines(body: Uint8Array): string[] {
  const decoded = decodeEvent(body);
  if (!decoded.ok) return ['  (cannot be read)'];
  const { rule, priority, source, hostname, time, output, output_fields } = decoded.event;
  const head = Object.entries({ rule, priority, source, hostname, time, output }).filter(([, value]) => value !== '');
  const fields = output_fields ? [...output_fields].map(([key, value]) => `    ${key}: ${jsonText(value)}`) : [];
  return [...head.map(([key, value]) => `  ${key}: ${value}`), ...fields];
}

/** Those of the policy, and those that something was recorded about. */
function stepNumbers(steps: readonly PlannedStep[], progress: readonly DatedProgress[]): number[] {
  const recorded = progress.flatMap((each) => (each.kind === 'reopened' ? [] : [each.step]));
  return [...new Set([...steps.keys(), ...recorded])].sort((a, b) => a - b);
}

function stepLines(step: number, planned: PlannedStep | undefined, progress: readonly DatedProgress[]): string[] {
  const own = progress.filter((each) => each.kind !== 'reopened' && each.step === step);
  const what = planned
    ? `${planned.action.action} (${planned.action.actionner}), rule ${planned.rule}`
    : '(unknown action)';
  const lines = own.map((each) => `  ${moment(each.at)}  ${progressText(each)}`);
  return [`step ${step}: ${what}`, ...(lines.length > 0 ? lines : ['  nothing recorded'])];
}

function progressText(progress: DatedProgress): string {
  switch (progress.kind) {
    case 'started':
      return `started, try ${progress.attempt}`;
    case 'began':
      return `${progress.door} begins`;
    case 'answered':
      return progress.read ? `${progress.door} looked up` : `${progress.door} done`;
    case 'failed':
      return `${progress.door} failed: ${progress.code}`;
    case 'retrying':
      return `try ${progress.attempt} failed, there will be another: ${progress.error}`;
    case 'reserved':
      return `budgets reserved: ${progress.budgets.join(', ') || 'none'}`;
    case 'acted':
      return `the action is done: ${endText(progress.outcome)}; ${artifactText(progress.outcome.artifact)}`;
    case 'ended':
      return `ended: ${endText(progress.end)}${storedText(progress.stored)}`;
    case 'reopened':
      return progress.allow ? 'reopened, and allowed where a guard would park it' : 'reopened';
  }
}

function artifactText({ name, size, sha256 }: Artifact): string {
  return `artifact ${name}, ${size} bytes, sha256 ${sha256}`;
}

function storedText(stored: Stored | undefined): string {
  if (!stored) return '';
  const { output, outcome, artifact } = stored;
  return `; ${output}: ${endText(outcome)}${artifact ? `; ${artifactText(artifact)}` : ''}`;
}

function endText(end: StepEnd): string {
  const facts = Object.entries(end.objects).map(([key, value]) => `${key}=${value}`);
  const tail = facts.length > 0 ? ` [${facts.join(' ')}]` : '';
  return `${end.status}${endReason(end)}${tail}`;
}

function endReason(end: StepEnd): string {
  switch (end.status) {
    case 'success':
      return `: ${end.output}`;
    case 'ignored':
      return `: ${end.result}`;
    case 'failure':
      return ` (${end.code}): ${end.error}`;
    default:
      return ` by ${end.policy}: ${end.reason}`;
  }
}
