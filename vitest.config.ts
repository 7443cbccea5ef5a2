import { defineConfig } from 'vitest/config';
import { compileCache } from './test/support/compile-cache.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Real servers are started by the tests: more files at once than cores makes everything slower.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    env: compileCache,
    // Experimental-API warnings of Node's own crypto would drown what matters.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
