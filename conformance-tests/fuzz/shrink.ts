import type { PolicyRule } from '../../src/model/rule.ts';

/** Rules and a body on which engines differ. */
export interface Pair {
  readonly rules: readonly PolicyRule[];
  readonly body: Uint8Array;
}

/** Tries that shrinking may take; each compiles and runs a module. */
const MOST_TRIES = 2_000;

/** A smaller pair that still fails: without rules, criteria and bytes that do not matter. */
export async function shrink(pair: Pair, fails: (pair: Pair) => Promise<boolean>): Promise<Pair> {
  let tries = 0;
  const stillFails = async (candidate: Pair) => tries++ < MOST_TRIES && (await fails(candidate));
  let smaller = pair;
  for (const candidates of [fewerRules, plainerRules, shorterBodies]) {
    smaller = await smallest(smaller, candidates, stillFails);
  }
  return smaller;
}

async function smallest(
  pair: Pair,
  candidates: (pair: Pair) => Generator<Pair>,
  fails: (pair: Pair) => Promise<boolean>,
): Promise<Pair> {
  let smaller = pair;
  for (;;) {
    const next = await firstThat(candidates(smaller), fails);
    if (!next) return smaller;
    smaller = next;
  }
}

async function firstThat(pairs: Iterable<Pair>, fails: (pair: Pair) => Promise<boolean>): Promise<Pair | undefined> {
  for (const pair of pairs) if (await fails(pair)) return pair;
  return undefined;
}

function* fewerRules({ rules, body }: Pair): Generator<Pair> {
  for (let size = Math.ceil(rules.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < rules.length; at += size) {
      yield { rules: [...rules.slice(0, at), ...rules.slice(at + size)], body };
    }
  }
}

function* plainerRules({ rules, body }: Pair): Generator<Pair> {
  for (const [index, rule] of rules.entries()) {
    for (const key of ['rules', 'tags', 'output_fields'] as const) {
      const list = rule.match[key];
      for (let item = 0; item < list.length; item++) {
        const match = { ...rule.match, [key]: list.filter((_, other) => other !== item) };
        yield { rules: rules.with(index, { ...rule, match }), body };
      }
    }
  }
}

function* shorterBodies({ rules, body }: Pair): Generator<Pair> {
  for (let size = Math.ceil(body.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < body.length; at += size) {
      yield { rules, body: Buffer.concat([body.subarray(0, at), body.subarray(at + size)]) };
    }
  }
}
