/**
 * `npm test`: the static checks, then everything the tests need (built or installed once, outside the work tree),
 * then the tests. With arguments, only vitest with those arguments: `npm test -- test/vault`.
 */
import { spawn } from 'node:child_process';
import { ensureTestbed } from './testbed/ensure.ts';

async function run(title: string, command: string, args: readonly string[]): Promise<void> {
  console.log(`\n▸ ${title}`);
  const child = spawn(command, args, { stdio: 'inherit' });
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => resolve(status ?? 1));
  });
  if (code !== 0) {
    console.error(`\n${title}: failed (exit ${code})`);
    process.exit(code);
  }
}

const filters = process.argv.slice(2);
if (filters.length === 0) {
  await run('types', 'tsc', ['--noEmit']);
  await run('lint', 'oxlint', ['--type-aware', '--deny-warnings']);
  await run('rooms: imports point downwards', 'depcruise', ['src', '--config', '.dependency-cruiser.cjs']);
  await run('unused files, exports and dependencies', 'knip', []);
}
console.log('\n▸ testbed');
await ensureTestbed();
await run('tests', 'vitest', ['run', ...filters]);
