import { secondsOf } from '../../compiler/duration.ts';
import { parameterMap } from '../../compiler/parameter-value.ts';
import type { YamlNode } from '../../compiler/yaml-node.ts';
import type { Actionner } from '../../model/definition.ts';
import { isRfc3339 } from '../../model/rfc3339.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { catalog } from '../plugins/catalog.ts';
import { StrictMap, type TestFindings } from './strict-map.ts';
import type { EarlierUse, ExpectedVerdict, GuardedAction } from './test-file.ts';

/** The keys of a case that say what guards are asked about. */
export const GUARD_KEYS = ['rule', 'action', 'target', 'now', 'used'];
/** The keys of `expect` that say what they answer. */
export const VERDICT_KEYS = ['verdict', 'policy', 'reason', 'monitored'];

const ACTION_KEYS = ['name', 'actionner', 'parameters'];
const TARGET_KEYS = ['labels', 'owner', 'node', 'containers'];
const USE_KEYS = ['ago', 'times', 'rule', 'actionner', 'namespace', 'pod'];

/** More than any budget allows. */
const MOST_TIMES = 100_000;

/** When tests are if they do not say: a Thursday. */
const NOON = Date.UTC(2026, 0, 1, 12);

/**
 * Reads what a case says about the action that guards are asked about.
 *
 * @param base the same of the case that this one starts from; it holds for each key that this one leaves out
 */
export function readGuardedAction(
  map: StrictMap,
  base: GuardedAction | undefined,
  findings: TestFindings,
): GuardedAction | undefined {
  if (!GUARD_KEYS.some((key) => map.has(key))) return base;
  const action = readAction(map, base, findings);
  const target = map.has('target') || !base ? readTarget(map) : base;
  const now = map.has('now') ? readTime(map, findings) : base?.now;
  const used = map.list('used')?.map((node) => readUse(node, findings));
  return {
    rule: map.text('rule') ?? base?.rule ?? 'Rule of the test',
    ...action,
    pod: target.pod,
    node: target.node,
    now: now ?? NOON,
    used: used ?? base?.used ?? [],
  };
}

/** Reads what a case expects of the guards; undefined if it expects nothing. */
export function readVerdict(map: StrictMap): ExpectedVerdict | undefined {
  if (!VERDICT_KEYS.some((key) => map.has(key))) return undefined;
  const kind = map.word('verdict', ['allowed', 'denied', 'parked']);
  const policy = map.text('policy');
  const reason = map.text('reason');
  const monitored = map.texts('monitored');
  return {
    ...(kind && { kind }),
    ...(policy !== undefined && { policy }),
    ...(reason !== undefined && { reason }),
    ...(monitored && { monitored }),
  };
}

function readAction(
  map: StrictMap,
  base: GuardedAction | undefined,
  findings: TestFindings,
): Pick<GuardedAction, 'action' | 'actionner' | 'parameters'> {
  const action = map.map('action', ACTION_KEYS);
  if (!action) return base ?? { action: '', actionner: '', parameters: null };
  const actionner = action.text('actionner') ?? base?.actionner ?? '';
  checkActionner(action, actionner, findings);
  return {
    action: action.text('name') ?? base?.action ?? 'Action of the test',
    actionner,
    parameters: action.has('parameters') ? readParameters(action, findings) : (base?.parameters ?? null),
  };
}

function checkActionner(map: StrictMap, actionner: string, findings: TestFindings): void {
  if (actionner === '') findings.missing(map.spot(), '`action` has an `actionner`');
  else if (!knownActionner(actionner)) findings.add('T1802', map.spot('actionner'), `no actionner \`${actionner}\``);
}

/** The actionner of that id. */
export function knownActionner(id: string): Actionner | undefined {
  return catalog.actionners.get(id);
}

function readParameters(map: StrictMap, findings: TestFindings): ParameterMap | null {
  const node = map.node('parameters');
  if (node?.kind === 'map') return parameterMap(node.entries);
  if (node) findings.add('T1802', node, '`parameters` is a mapping');
  return null;
}

/** Without `target` there is a pod with nothing to it, on a node with nothing to it. */
function readTarget(map: StrictMap): Pick<GuardedAction, 'pod' | 'node'> {
  const target = map.map('target', TARGET_KEYS);
  const owner = target?.map('owner', ['kind', 'name']);
  const node = target?.map('node', ['name', 'labels', 'hostnames']);
  const name = node?.text('name') ?? '';
  return {
    pod: {
      uid: 'uid-of-the-test',
      labels: target?.textMap('labels') ?? {},
      owner: owner
        ? {
            kind: owner.word('kind', ['DaemonSet', 'StatefulSet', 'ReplicaSet', 'Node', 'other']) ?? 'other',
            name: owner.text('name') ?? '',
          }
        : null,
      node: name,
      containerIds: target?.texts('containers') ?? [],
    },
    node: { name, labels: node?.textMap('labels') ?? {}, hostnames: node?.texts('hostnames') ?? [name] },
  };
}

function readTime(map: StrictMap, findings: TestFindings): number | undefined {
  const text = map.text('now');
  if (text === undefined) return undefined;
  const time = isRfc3339(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  findings.add('T1802', map.spot('now'), '`now` is a time such as 2026-01-31T23:00:00Z');
  return undefined;
}

function readUse(node: YamlNode, findings: TestFindings): EarlierUse {
  const map = new StrictMap(node, 'an earlier use', USE_KEYS, findings);
  const text = map.text('ago');
  const ago = text === undefined ? undefined : secondsOf(text);
  if (text === undefined) findings.missing(map.spot(), 'an earlier use says how long `ago` it was');
  else if (ago === undefined) findings.add('T1802', map.spot('ago'), '`ago` is a duration such as 10m');
  const given = ['rule', 'actionner', 'namespace', 'pod'].flatMap((key) => {
    const value = map.text(key);
    return value === undefined ? [] : [[key, value] as const];
  });
  const { actionner } = Object.fromEntries(given);
  if (actionner !== undefined) checkActionner(map, actionner, findings);
  const times = map.number('times') ?? 1;
  if (times > MOST_TIMES) findings.add('T1802', map.spot('times'), `\`times\` is at most ${MOST_TIMES}`);
  return { ago: ago ?? 0, times, ...Object.fromEntries(given) };
}
