import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'engine/**/*.test.ts',
      'electron/**/*.test.ts',
      'shared/**/*.test.ts',
      'renderer/**/*.test.ts',
      'tests/{scenarios,conformance,golden}/**/*.test.ts',
    ],
    setupFiles: ['tests/support/diagnosis.ts'],
    testTimeout: 60_000,
    pool: 'forks',
    // What a killed process of the lab had left running ends by ProcessExit; nobody waits for it.
    onUnhandledError: (error) => (error.name === 'ProcessExit' ? false : undefined),
  },
});
