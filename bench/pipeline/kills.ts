/** Workers that are killed in the middle of a job: how long until another one has it, and whether anything is lost or done twice. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { systemClock } from '../../src/core/clock.ts';
import { openQueue } from '../../src/queue/index.ts';
import { startValkey } from '../../test/testbed/queue/valkey.ts';
import { compileCache } from '../../test/support/compile-cache.ts';
import { held, median, noted } from '../figure.ts';
import type { Figure } from '../figure.ts';

const KILLS = 100;
/** Workers at once, all of which are killed in the same moment. */
const AT_ONCE = 10;
const CHILD = fileURLToPath(new URL('kills.child.ts', import.meta.url));

const lineSchema = z.object({ what: z.enum(['begun', 'ended']), id: z.string(), pid: z.int(), at: z.int() });
type Line = z.output<typeof lineSchema>;

export async function killFigures(say: (line: string) => void): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-bench-'));
  const log = join(folder, 'log');
  await writeFile(log, '');
  const server = await startValkey({ appendOnly: true });
  const queue = await openQueue({ type: 'redis', url: server.url });
  const workers: ChildProcess[] = [];
  const waits: number[] = [];
  try {
    for (let round = 0; round < KILLS / AT_ONCE; round++) {
      const ids = Array.from({ length: AT_ONCE }, (_, n) => `kill.${round}-${n}`);
      await queue.addAll(ids.map((id) => ({ id, kind: 'kill', data: null })));
      while (workers.length < AT_ONCE) workers.push(begin(server.url, log));
      await until(log, (lines) => ids.every((id) => lines.some((line) => line.id === id)));
      const killed = Date.now();
      for (const worker of workers.splice(0)) worker.kill('SIGKILL');
      while (workers.length < AT_ONCE) workers.push(begin(server.url, log));
      const lines = await until(log, (all) => ids.every((id) => all.some((line) => line.id === id && line.what === 'ended')));
      const again = ids.map((id) => Math.min(...lines.filter((line) => line.id === id && line.what === 'begun' && line.at > killed).map(({ at }) => at)) - killed);
      waits.push(...again.map((ms) => ms / 1000));
      say(`${waits.length} kills: the last ${AT_ONCE} jobs were taken over after ${Math.min(...again)} to ${Math.max(...again)} ms`);
    }
    const lines = await read(log);
    const ended = new Map<string, number>();
    for (const { id, what } of lines) if (what === 'ended') ended.set(id, (ended.get(id) ?? 0) + 1);
    return [
      held('a worker is killed: another has its job, at the latest', Math.max(...waits), 's', '<=', 15),
      held('jobs lost in 100 kills', KILLS - ended.size, 'jobs', '<=', 0),
      held('jobs done twice in 100 kills', [...ended.values()].filter((times) => times > 1).length, 'jobs', '<=', 0),
      noted('another has its job, median', median(waits), 's'),
    ];
  } finally {
    for (const worker of workers) worker.kill('SIGKILL');
    await queue.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function begin(url: string, log: string): ChildProcess {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, url, log], { env: { ...process.env, ...compileCache }, stdio: ['ignore', 'ignore', 'inherit'] });
}

async function read(log: string): Promise<readonly Line[]> {
  const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => lineSchema.parse(JSON.parse(line)));
}

async function until(log: string, reached: (lines: readonly Line[]) => boolean): Promise<readonly Line[]> {
  for (let tries = 0; tries < 1200; tries++) {
    const lines = await read(log);
    if (reached(lines)) return lines;
    await systemClock.sleep(100);
  }
  throw new Error('the workers did not get there in two minutes');
}
