import * as z from 'zod';
import type { Door } from '../../model/capability.ts';
import { defineActionner, podOf, type RunArguments } from '../../model/definition.ts';
import { codeOf, DoorError } from '../../model/door-error.ts';
import { FIELD_KEYS, fieldText, podName } from '../../model/event-fields.ts';
import type { ActionResult } from '../../model/outcome.ts';
import { integer, text } from '../../model/parameters.ts';

/** Small actionners for tests: each shows one thing that a plug-in may do. */

const parameters = z.object({ lines: integer('lines', { min: 0 }), text: text('text') });
type Given<U extends Door> = RunArguments<z.output<typeof parameters>, U>;

/** An actionner for tests that only has a name, doors and code. */
export function testActionner<const U extends Door>(
  name: string,
  uses: readonly U[],
  run: (given: Given<U>) => Promise<ActionResult>,
) {
  return defineActionner({
    id: `test:${name}`,
    description: 'for tests',
    sources: [],
    continue: true,
    usesContext: false,
    artifact: 'none',
    requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
    parameters,
    example: '',
    behaviour: { idempotent: true, uses, deadline: 60, writes: () => ['pod'], run },
  });
}

export const DONE = { status: 'success', output: 'done', objects: {} } as const;
const saying = (output: unknown): ActionResult => ({ status: 'success', output: JSON.stringify(output), objects: {} });

export const idle = testActionner('idle', [], async () => DONE);

export const shows = testActionner('shows', ['pods.owner'], async ({ event, parameters, targets, use }) =>
  saying({
    event: { ...event, output_fields: [...(event.output_fields ?? [])].map(([key]) => [key, fieldText(event, key)]) },
    parameters,
    targets,
    doors: Object.keys(use),
  }),
);

export const looksAtField = testActionner('looksAtField', [], async ({ event }) => saying(podName(event)));

export const labelsPod = testActionner('labelsPod', ['pods.label'], async ({ targets, use }) => {
  await use['pods.label'](podOf(targets), { a: 'b' });
  return DONE;
});

export const labelsNode = testActionner('labelsNode', ['nodes.ofPod', 'nodes.label'], async ({ targets, use }) => {
  const node = await use['nodes.ofPod'](podOf(targets));
  await use['nodes.label'](node, { a: 'b' });
  return saying(node);
});

export const asksTwice = testActionner('asksTwice', ['pods.owner', 'pods.delete'], async ({ targets, use }) => {
  await use['pods.owner'](podOf(targets));
  await use['pods.delete'](podOf(targets), 0);
  return DONE;
});

export const forgetsCall = testActionner('forgetsCall', ['pods.label'], async ({ targets, use }) => {
  void use['pods.label'](podOf(targets), { a: 'b' });
  return DONE;
});

export const sleeps = testActionner('sleeps', [], async ({ parameters, sleep }) => {
  await sleep(parameters.lines);
  return DONE;
});

export const goesOnAfterError = testActionner('goesOnAfterError', ['pods.label'], async ({ targets, use }) => {
  const refusal = await use['pods.label'](podOf(targets), { a: 'b' }).catch(
    (error: Error) => `${codeOf(error)}: ${error.message}`,
  );
  return saying(refusal);
});

export const throwsTypeError = testActionner('throwsTypeError', [], async () => {
  throw new TypeError('oops');
});

export const refuses = testActionner('refuses', [], async () => {
  throw new DoorError('refused', 'not with me', { objects: { pod: 'web' } });
});

export const claimsUnreachable = testActionner('claimsUnreachable', [], async () => {
  throw new DoorError('unreachable', 'again and again');
});

/** All that could make two runs differ. */
export const looksAround = testActionner('looksAround', [], async () => {
  const random = Math.random();
  const times = [new Date().toISOString(), Date.now(), new Date(5).getTime(), String(Date()).slice(0, 15)];
  const names = Object.getOwnPropertyNames(globalThis).filter((name) => !LANGUAGE.includes(name));
  return saying({ random, again: Math.random() !== random, times, isDate: new Date() instanceof Date, names });
});
/** What the language itself has, in the order of the specification. */
const LANGUAGE = `globalThis Infinity NaN undefined eval isFinite isNaN parseFloat parseInt decodeURI decodeURIComponent encodeURI
encodeURIComponent escape unescape AggregateError Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView Date
Error EvalError Float16Array Float32Array Float64Array Function InternalError Int8Array Int16Array Int32Array Iterator Map
Number Object Promise Proxy RangeError ReferenceError RegExp Set String Symbol SyntaxError TypeError Uint8Array
Uint8ClampedArray Uint16Array Uint32Array URIError WeakMap WeakSet JSON Math Reflect`;

/** Labels the pod often, some at a time, with pauses: a step that is under way for long. */
export const busy = testActionner(
  'busy',
  ['nodes.ofPod', 'pods.label'],
  async ({ parameters, targets, use, sleep }) => {
    const pod = podOf(targets);
    await use['nodes.ofPod'](pod);
    const numbers = Array.from({ length: parameters.lines }, (_, number) => number);
    const work = async () => {
      for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
        await use['pods.label'](pod, { [`${parameters.text}${number}`]: 'x' });
        await sleep(1);
      }
    };
    await Promise.all(Array.from({ length: 4 }, work));
    return DONE;
  },
);

/** More calls at once than may be open. */
export const manyAtOnce = testActionner('manyAtOnce', ['pods.owner'], async ({ parameters, targets, use }) => {
  const calls = Array.from({ length: parameters.lines }, () => use['pods.owner'](podOf(targets)));
  return saying((await Promise.all(calls)).length);
});

/** Hands on what `nodes.ofPod` gave it as its artifact. */
export const handsOn = testActionner('handsOn', ['nodes.ofPod'], async ({ targets, use }) => {
  const first: unknown = await use['nodes.ofPod'](podOf(targets));
  await use['nodes.ofPod'](podOf(targets));
  return { ...DONE, artifact: first as NonNullable<Extract<ActionResult, { status: 'success' }>['artifact']> };
});

/** Works a little, many times. */
export const worksOften = testActionner('worksOften', [], async ({ sleep }) => {
  for (let time = 0; time < 100; time++) {
    for (let count = 0; count < 600_000; count++);
    await sleep(1);
  }
  return DONE;
});
