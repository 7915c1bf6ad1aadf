import type { FalcoEvent } from '../../model/falco-event.ts';
import { JsonReader } from '../../model/json-reader.ts';

/**
 * Reads the alert in a context, from the text in which it comes there (`StepTexts.event`). It is part of the scripts of those
 * plug-ins alone that look at the alert: evaluating it takes longer than most steps.
 */
export function readEvent(text: string): FalcoEvent {
  const members = new JsonReader(text).value(0) as ReadonlyMap<string, unknown>;
  return Object.fromEntries(members) as unknown as FalcoEvent;
}
