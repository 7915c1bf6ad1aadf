import { defineConfig } from 'vitest/config';

/** Tests of what `npm run build` made, run as users run it. They need a build and are no part of `npm test`. */
export default defineConfig({
  test: {
    include: ['tools/smoke/**/*.smoke.ts'],
    testTimeout: 30_000,
  },
});
