import { decodeParameters } from '../model/decode-parameters.ts';
import type { Actionner, WrittenObject } from '../model/definition.ts';
import { namespace, podName, targetName, targetNamespace, targetResource } from '../model/event-fields.ts';
import type { FalcoEvent } from '../model/falco-event.ts';
import type { PlannedAction, PlannedRule } from '../model/rule.ts';

/**
 * Names the lanes of a plan: one for each object that its actions write, as far as the alert names them, sorted. The owner of
 * a pod is known only later, so actions on owners are kept in order within their namespace.
 */
export class LaneKeys {
  readonly #actionners: ReadonlyMap<string, Actionner>;
  /** Kinds of objects by action: parameters are decoded once for each, not for each alert. */
  readonly #written = new WeakMap<PlannedAction, readonly WrittenObject[]>();

  constructor(actionners: ReadonlyMap<string, Actionner>) {
    this.#actionners = actionners;
  }

  of(event: FalcoEvent, rules: readonly PlannedRule[]): readonly string[] {
    const keys = new Set<string>();
    for (const { actions } of rules) {
      for (const action of actions) {
        for (const kind of this.#kindsOf(action)) {
          const key = laneKey(kind, event);
          if (key) keys.add(key);
        }
      }
    }
    return [...keys].sort();
  }

  #kindsOf(action: PlannedAction): readonly WrittenObject[] {
    const known = this.#written.get(action);
    if (known) return known;
    const kinds = writtenBy(action, this.#actionners.get(action.actionner));
    this.#written.set(action, kinds);
    return kinds;
  }
}

function writtenBy({ parameters }: PlannedAction, actionner: Actionner | undefined): readonly WrittenObject[] {
  if (!actionner) return [];
  const decoded = decodeParameters(actionner.parameters, parameters);
  return decoded.ok ? actionner.behaviour.writes(decoded.value) : [];
}

/** Empty or undefined where the alert does not name such an object. */
function laneKey(kind: WrittenObject, event: FalcoEvent): string | undefined {
  switch (kind) {
    case 'pod':
      return podName(event) && `pod/${namespace(event) ?? ''}/${podName(event)}`;
    case 'owner':
      return namespace(event) && `namespace/${namespace(event)}`;
    case 'node':
      return event.hostname && `node/${event.hostname}`;
    case 'object':
      return (
        targetName(event) &&
        `object/${targetResource(event) ?? ''}/${targetNamespace(event) ?? ''}/${targetName(event)}`
      );
  }
}
