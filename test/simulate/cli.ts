/**
 * `npm run simulate -- --seeds 500`: lifeboat in vaults that fail, lie and lose what they hold. docs/simulation.md.
 */
import { runOn } from './machine/install.ts';
import { parseArgs } from 'node:util';
import { simulate, warmUp } from './run.ts';
import type { Outcome } from './run.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '50' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    beyond: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const say = (line: string): void => console.log(line);
const listener = { ...((values.verbose || values.trace) && { step: say }), ...(values.trace && { call: say }) };

await warmUp();
const outcomes: Outcome[] = [];
for (let seed = first; seed < first + count; seed++) {
  const outcome = await simulate(seed, runOn, listener, values.beyond);
  outcomes.push(outcome);
  if (values.json) continue;
  if (outcome.violations.length > 0) console.log(`seed ${seed} failed: ${outcome.violations[0]}`);
  const done = outcomes.length;
  if (done % 25 === 0 || done === count) console.log(`${done} of ${count} seeds: ${outcomes.reduce((sum, { points }) => sum + points, 0)} points, ${outcomes.reduce((sum, { events }) => sum + events, 0)} events`);
}

const failing = outcomes.filter(({ violations }) => violations.length > 0);
if (values.json) console.log(JSON.stringify({ seeds: outcomes }));
else if (failing.length === 0) console.log('None failed.');
else {
  console.log(`\n${failing.length} failed. To see each again:`);
  for (const { seed } of failing) console.log(`  npm run simulate -- --seed ${seed} --verbose`);
}
process.exitCode = failing.length === 0 ? 0 : 1;
