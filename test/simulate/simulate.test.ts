import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const schema = z.object({
  seeds: z.array(z.object({ seed: z.number(), violations: z.array(z.string()), course: z.string(), points: z.number() })),
});
type Outcomes = z.infer<typeof schema>['seeds'];

/** In a process of its own: the simulation puts another machine under everything that it imports. */
async function simulate(...args: readonly string[]): Promise<Outcomes> {
  const command = ['--disable-warning=ExperimentalWarning', new URL('cli.ts', import.meta.url).pathname, '--json', ...args];
  const { stdout } = await promisify(execFile)(process.execPath, command, { maxBuffer: 2 ** 26 }).catch((error: unknown) => z.object({ stdout: z.string() }).parse(error));
  return schema.parse(JSON.parse(stdout)).seeds;
}

describe('lifeboat in vaults that fail, lie and lose what they hold', () => {
  it('loses no safe point, restores no wrong byte, and ends with no unknown error: 50 seeds', { timeout: 600_000 }, async () => {
    const seeds = await simulate('--seeds', '50');
    expect(seeds.filter(({ violations }) => violations.length > 0).map(({ seed, violations }) => `npm run simulate -- --seed ${seed} --verbose: ${violations.join('; ')}`)).toEqual([]);
    expect(seeds).toHaveLength(50);
    expect(seeds.reduce((sum, { points }) => sum + points, 0)).toBeGreaterThan(200);
  });
});

describe('the simulation', () => {
  it('takes the same course for the same seed, and another for another', async () => {
    const [one, other] = await Promise.all([simulate('--seed', '7'), simulate('--from', '6', '--seeds', '2')]);
    expect(other[1]).toEqual(one[0]);
    expect(other[0]?.course).not.toBe(one[0]?.course);
  });

  it('sees points being lost when more vaults lose what they hold than is promised', async () => {
    const seeds = await simulate('--seeds', '6', '--beyond');
    expect(seeds.flatMap(({ violations }) => violations).filter((violation) => /^safe point \S+ is lost$/.test(violation)).length).toBeGreaterThan(0);
  });
});
