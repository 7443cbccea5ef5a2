import { defineConfig } from 'vitest/config';
import { compileCache } from './test/support/compile-cache.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: './test/support/build.ts',
    pool: 'forks',
    // Real servers are started by the tests: more files at once than one more than cores makes everything slower.
    maxWorkers: 3,
    // For what hangs; what only takes long on a busy machine is not to fail.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    env: compileCache,
    // Experimental-API warnings of Node's own crypto would drown what matters.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
