import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'src/**/*.test.ts',
      'tools/**/*.test.ts',
      'conformance-tests/**/*.test.ts',
      'rules/**/*.test.ts',
      'policies/**/*.test.ts',
      'e2e/plugins/**/*.test.ts',
    ],
    testTimeout: 20_000,
  },
});
