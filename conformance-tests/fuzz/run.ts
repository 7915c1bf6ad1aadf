import process from 'node:process';
import { parseArgs } from 'node:util';
import { EVENT_ERRORS, type EventErrorCode } from '../../src/model/falco-event.ts';
import { type FuzzCounts, type FuzzFailure, fuzz } from './fuzz.ts';

const USAGE = `Usage: npm run fuzz -- [--seed N] [--pairs N]

Generates rules and alerts, and compares the policy module, the plain interpreter and stock opa-wasm on them.
  --seed N    where the generators start, to see a difference again (default 1)
  --pairs N   how many pairs of rules and alert (default 100000)`;

const { seed, pairs } = settings();
const started = performance.now();

const { failure, ...counts } = await fuzz(seed, pairs, (soFar) => {
  if (process.stderr.isTTY) process.stderr.write(`\r${soFar.pairs} of ${pairs} pairs`);
  else if (soFar.pairs % 10_000 === 0) process.stderr.write(`${soFar.pairs} of ${pairs} pairs\n`);
});
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
console.log(summary(counts));
if (failure) {
  console.log(report(failure));
  process.exit(1);
}

function settings(): { seed: number; pairs: number } {
  const options = { seed: { type: 'string' }, pairs: { type: 'string' }, help: { type: 'boolean' } } as const;
  try {
    const { values } = parseArgs({ options });
    const [seed, pairs] = [Number(values.seed ?? 1), Number(values.pairs ?? 100_000)];
    if (!values.help && Number.isSafeInteger(seed) && Number.isSafeInteger(pairs) && pairs > 0) return { seed, pairs };
    console.log(USAGE);
    process.exit(values.help ? 0 : 1);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(1);
  }
}

function summary({ pairs: run, matched, errors, stock }: FuzzCounts): string {
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const refused = Object.entries(errors).map(
    ([code, count]) => `${count} ${EVENT_ERRORS[Number(code) as EventErrorCode]}`,
  );
  return `seed ${seed}: ${run} pairs in ${seconds} s, ${matched} matched, ${stock} also through opa-wasm; ${refused.join(', ')}`;
}

function report({ seed: failed, difference, rules, body }: FuzzFailure): string {
  return [
    `difference: ${difference}`,
    `again: npm run fuzz -- --seed ${failed} --pairs 1`,
    `body: ${JSON.stringify(Buffer.from(body).toString('latin1'))} (as Latin-1)`,
    `rules: ${JSON.stringify(rules.map(({ rule, continue: goesOn, match }) => ({ rule, continue: goesOn, match })))}`,
  ].join('\n');
}
