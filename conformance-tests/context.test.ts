import { spawnSync } from 'node:child_process';
import { expect } from 'vitest';
import { decodeEvent } from '../src/model/decode-event.ts';
import { DoorError } from '../src/model/door-error.ts';
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
import { nodeSource } from '../src/platform/kube/node-context.ts';
import type { Context } from '../src/runtime/context.ts';
import { Contexts } from '../src/runtime/contexts.ts';
import { openRules } from '../src/runtime/engine/open-bundle.ts';
import { enrich, type Step } from '../src/runtime/enrich.ts';
import { expandText } from '../src/runtime/plugins/expand-text.ts';
import { shellText } from '../src/runtime/plugins/shell-text.ts';
import { eventTokens, type Tokens } from '../src/runtime/plugins/tokens.ts';
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

/** What a case of additional contexts has: the names that the action gives, and what the API server has. */
interface Asked {
  readonly sources?: readonly string[];
  readonly cluster?: {
    readonly pod: { readonly name: string; readonly namespace: string; readonly node: string };
    readonly node: { readonly labels: Record<string, string>; readonly providerID: string } | null;
  };
}
type ContextCase = OracleCase<Recorded, Asked>;

conformance<Recorded, Asked>({
  category: 'context',
  recorded: () => ({}),
  ours: async (oracleCase) => deviations(oracleCase.expected, await described(oracleCase)),
});

async function described(oracleCase: ContextCase): Promise<object> {
  if (oracleCase.theme === 'node-source') return sourcesOf(oracleCase);
  const steps = oracleCase.bodies.map((body) => stepsOf(oracleCase, body));
  return 'steps' in oracleCase.expected ? { steps: steps[0] } : { steps_by_event: steps };
}

/** Each source for itself, and what they bring together. */
async function sourcesOf({ bodies, sources = [], cluster }: ContextCase): Promise<object> {
  const event = eventOf(bodies[0] ?? '');
  const contexts = new Contexts(
    {
      k8snode: nodeSource(() => readsOf(cluster)),
      aws: () => Promise.reject(new Error('no case is about it')),
    },
    () => performance.now(),
  );
  const { signal } = new AbortController();
  const answers = sources.map(async (source) => {
    const { values, problems } = await contexts.of([source], event, signal);
    const [problem] = problems;
    return { context: recordedMap(values), ...(problem && { error: problem.error }), source };
  });
  const { values } = await contexts.of(sources, event, signal);
  return {
    sources: await Promise.all(answers),
    context: recordedMap(values),
    env: Object.fromEntries(eventTokens(event, values)),
  };
}

function recordedMap(values: Context): object | null {
  return values.size === 0 ? null : Object.fromEntries(values);
}

/** An API server that has one pod, and the node of it or not. */
function readsOf(cluster: Asked['cluster']) {
  return {
    readPod: async ({ name, namespace }: { readonly name: string; readonly namespace: string }) => {
      const pod = cluster?.pod;
      if (pod?.name !== name || pod.namespace !== namespace) throw new DoorError('not-found', '');
      return { spec: { nodeName: pod.node, containers: [] } };
    },
    readNode: async (name: string) => {
      const { node = null, pod } = cluster ?? {};
      if (node === null || pod?.node !== name) throw new DoorError('not-found', '');
      return { metadata: { name, labels: node.labels }, spec: { providerID: node.providerID } };
    },
  };
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
