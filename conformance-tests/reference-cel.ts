import { celEnv, isCelError, parse, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { ConditionEvent, EVENT_MEMBERS } from '../src/model/condition-event.ts';
import type { FalcoEvent } from '../src/model/falco-event.ts';

const environment = celEnv({ funcs: strings });

/** A condition in the reference implementation of CEL, which does not check types: true, false or an error. */
export function referenceCondition(text: string): (event: FalcoEvent) => boolean | 'error' {
  const run = plan(environment, parse(text));
  return (event) => {
    const view = new ConditionEvent(event);
    const members = Object.keys(EVENT_MEMBERS) as (keyof FalcoEvent)[];
    const result = run({ event: new Map(members.map((member) => [member, view[member]])) });
    if (isCelError(result)) return 'error';
    return result === true;
  };
}
