import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { defineConfig } from 'vitest/config';

const FOLDERS = ['conformance-tests', 'e2e/plugins', 'policies', 'rules', 'src', 'tools'];

/** What a test does with what all files of a process share: clock, environment, random numbers, memory. */
const ALONE = /\bvi\.(useFakeTimers|stub|mock|spyOn\((Math|performance|process)\b)|\bprocess\.memoryUsage\(/;

const files = FOLDERS.flatMap((folder) =>
  readdirSync(path.join(import.meta.dirname, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `${folder}/${file}`),
);
const alone = files.filter((file) => ALONE.test(readFileSync(path.join(import.meta.dirname, file), 'utf8')));

export default defineConfig({
  test: {
    // Many tests wait for something most of the time, so that one process for each core leaves cores idle.
    maxWorkers: availableParallelism() + 1,
    // On a busy machine anything may take long. Where a test is about a time, it says so itself.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000, interval: 20 } },
    // So that a message says what was there in place of what was expected; the reports have no more than messages.
    chaiConfig: { truncateThreshold: 1_000 },
    projects: [
      { extends: true, test: { name: 'alone', include: alone } },
      {
        extends: true,
        test: {
          name: 'together',
          include: FOLDERS.map((folder) => `${folder}/**/*.test.ts`),
          exclude: ['**/node_modules/**', ...alone],
          // One process for many files: starting one and loading what they test into it takes longer than most of them do.
          isolate: false,
        },
      },
    ],
  },
});
