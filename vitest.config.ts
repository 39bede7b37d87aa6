import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores: more workers than that only make the end-to-end tests wait for each other.
    maxWorkers: 2,
    env: { METADATA_SERVER_DETECTION: 'none' },
  },
});
