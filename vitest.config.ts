import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Folders whose tests replace nothing that all files of a process share: no clock, environment or module. */
const PURE = ['conformance-tests', 'policies', 'rules', 'src/compiler', 'src/model'].map(
  (each) => `${each}/**/*.test.ts`,
);

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
      // One process for many files: starting one and loading the compiler into it takes longer than most of them do.
      { extends: true, test: { name: 'pure', include: PURE, isolate: false } },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['src/**/*.test.ts', 'tools/**/*.test.ts', 'e2e/plugins/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...PURE],
        },
      },
    ],
  },
});
