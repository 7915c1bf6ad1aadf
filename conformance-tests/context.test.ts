import { spawnSync } from 'node:child_process';
import { expect } from 'vitest';
import { decodeEvent } from '../src/model/decode-event.ts';
import {
  namespace,
  podName,
  remoteIp,
  remotePort,
  remoteProtocol,
  targetName,
  targetNamespace,
  targetResource,
} from '../src/model/event-fields.ts';
import { eventJson } from '../src/model/event-json.ts';
import type { FalcoEvent } from '../src/model/falco-event.ts';
import type { PlannedAction } from '../src/model/rule.ts';
import type { AlertHead } from '../src/model/transition.ts';
import type { Context } from '../src/runtime/context.ts';
import { enrich, type Step } from '../src/runtime/enrich.ts';
import { expandText } from '../src/runtime/expand-text.ts';
import { openRules } from '../src/runtime/open-bundle.ts';
import { shellText } from '../src/runtime/shell-text.ts';
import { eventTokens, type Tokens } from '../src/runtime/tokens.ts';
import { compileCase } from './compile-case.ts';
import { deviations } from './deviations.ts';
import { conformance } from './harness.ts';
import type { OracleCase } from './oracle-case.ts';

type Recorded =
  | { readonly steps: readonly object[] }
  | { readonly steps_by_event: readonly (readonly object[])[] }
  | { readonly sources: readonly object[]; readonly context: object | null; readonly env: object };

/** The names that the documentation has for the keys that Falco Talon writes. Ours has both. */
const DOCUMENTED: Readonly<Record<string, string>> = {
  'falco-talon.rule.dryrun': 'falco-talon.rule.dry_run',
  'falco-talon.rule.action': 'falco-talon.action',
  'falco-talon.rule.actionner': 'falco-talon.actionner',
  'falco-talon.rule.action.continue': 'falco-talon.action.continue',
  'falco-talon.rule.action.ignore_errors': 'falco-talon.action.ignore_errors',
  'falco-talon.rule.action.parameters': 'falco-talon.action.parameters',
};

conformance<Recorded>({
  category: 'context',
  recorded: () => ({}),
  ours: (oracleCase) => deviations(oracleCase.expected, described(oracleCase)),
});

function described(oracleCase: OracleCase<Recorded>): object {
  if (oracleCase.theme === 'node-source') return withoutSources(oracleCase.bodies[0] ?? '');
  const steps = oracleCase.bodies.map((body) => stepsOf(oracleCase, body));
  return 'steps' in oracleCase.expected ? { steps: steps[0] } : { steps_by_event: steps };
}

/** No additional context is fetched yet. */
function withoutSources(body: string): object {
  return { sources: [], context: null, env: Object.fromEntries(eventTokens(eventOf(body), new Map())) };
}

function stepsOf(oracleCase: OracleCase<Recorded>, body: string): object[] {
  const answer = openRules(compileCase(oracleCase)).evaluate(Buffer.from(body));
  if (!answer.ok) throw new Error(`error ${answer.code}`);
  const event = eventOf(body);
  const head: AlertHead = { ...event, trace_id: '' };
  return answer.plan.rules.flatMap((rule) =>
    rule.actions.map((action) => describeStep(enrich(head, event, rule, action))),
  );
}

function describeStep(step: Step): object {
  const { event, rule, action } = step;
  const context = asRecorded(step.context());
  const tokens = step.tokens();
  return {
    rule: rule.rule,
    action: action.action,
    context: Object.fromEntries(context),
    env: Object.fromEntries(eventTokens(event, context)),
    expanded: expandedParameters(action, tokens),
    getters: getters(event),
    payload: eventJson(event, '', context),
  };
}

/** Without the documented names, once they are found to say the same. */
function asRecorded(context: Context): Context {
  const recorded = new Map(context);
  for (const [documented, written] of Object.entries(DOCUMENTED)) {
    expect(context.get(documented), documented).toBe(context.get(written));
    recorded.delete(documented);
  }
  return recorded;
}

/** A file name is expanded by us, a command or script by the shell that gets it. */
function expandedParameters({ parameters }: PlannedAction, tokens: Tokens): object {
  const texts = Object.entries(parameters ?? {}).filter((entry): entry is [string, string] =>
    String(entry[1]).includes('$'),
  );
  return Object.fromEntries(
    texts.map(([name, text]) => [name, name === 'file' ? expandText(text, tokens) : expandedByShell(text, tokens)]),
  );
}

function expandedByShell(text: string, tokens: Tokens): string {
  const script = shellText(`cat <<END_OF_TEXT\n${text}\nEND_OF_TEXT\n`, tokens);
  const { stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8', env: { PATH: process.env.PATH } });
  expect(stderr).toBe('');
  return stdout.slice(0, -1);
}

function getters(event: FalcoEvent): object {
  return {
    hostname: event.hostname,
    pod: podName(event) ?? '',
    namespace: namespace(event) ?? '',
    target_name: targetName(event) ?? '',
    target_namespace: targetNamespace(event) ?? '',
    target_resource: targetResource(event) ?? '',
    remote_ip: remoteIp(event) ?? '',
    remote_port: remotePort(event) ?? '',
    remote_protocol: remoteProtocol(event) ?? '',
  };
}

function eventOf(body: string): FalcoEvent {
  const decoded = decodeEvent(Buffer.from(body));
  if (!decoded.ok) throw new Error(`error ${decoded.code}`);
  return decoded.event;
}
