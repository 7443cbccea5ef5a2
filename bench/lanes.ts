/** Figures of writing to several vaults at once: what one slow vault costs the others. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, generateRepositoryKeys, sealSlot, writeKeyOf } from '../src/keys/index.ts';
import type { CommittedPoint } from '../src/repository/api.ts';
import { createRepository, openWriter } from '../src/repository/index.ts';
import { openDirectoryVault } from '../src/vault/directory.ts';
import type { Vault } from '../src/vault/vault.ts';
import { withPace } from '../test/support/paced-vault.ts';
import { held, noted } from './figure.ts';
import type { Figure } from './figure.ts';

/** Bytes written, and bytes a second of a fast vault: so much slower than the machine that the vaults set the pace. */
const BYTES = 640_000_000;
const FAST = 16_000_000;
const RECORD = 250_000;
const SAMPLE_MS = 50;

interface Run {
  readonly seconds: number;
  readonly point: CommittedPoint;
  readonly peakMegabytes: number;
}

/** Writes to two fast vaults, and to the same with a third that has a tenth of their speed. */
export async function laneFigures(say: (line: string) => void): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-bench-'));
  try {
    const two = await write(folder, [FAST, FAST]);
    say(`two vaults of ${FAST / 1e6} MB/s: ${two.seconds.toFixed(1)} s, ${two.peakMegabytes.toFixed(0)} MB`);
    const three = await write(folder, [FAST, FAST, FAST / 10]);
    const lacks = three.point.behind.map(({ packs }) => `; the slow one lacks ${packs} of ${three.point.header.stats.packs} packs`).join('');
    say(`and one of a tenth of that: ${three.seconds.toFixed(1)} s, ${three.peakMegabytes.toFixed(0)} MB${lacks}`);
    if (!two.point.safe || !three.point.safe) throw new Error('a point is not safe');
    return [
      held('three vaults, one at a tenth of the speed, times two fast ones', three.seconds / two.seconds, 'x', '<=', 1.2),
      noted('peak memory with the slow vault', three.peakMegabytes, 'MB'),
      noted('peak memory without it', two.peakMegabytes, 'MB'),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function write(folder: string, speeds: readonly number[]): Promise<Run> {
  const vaults: Vault[] = [];
  for (const [i, speed] of speeds.entries()) {
    const path = join(folder, `${speeds.length}-${i}`);
    await mkdir(path);
    vaults.push(withPace(await openDirectoryVault({ name: `vault-${i}`, path }), speed));
  }
  const keys = await generateRepositoryKeys();
  const { recipient } = await generateIdentity('x25519');
  await createRepository({ vaults, keys, slots: [await sealSlot(keys, { kind: 'age', recipient })] });
  const writer = await openWriter({ vaults, writeKey: writeKeyOf(keys), copies: 2 });
  let peak = 0;
  const sampling = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), SAMPLE_MS);
  const began = performance.now();
  try {
    const session = await writer.begin('bench');
    const stream = session.records();
    for (let written = 0; written < BYTES; written += RECORD) await stream.write(randomBytes(RECORD));
    const all = { ...(await stream.end()) };
    const point = await session.commit({ at: new Date().toISOString(), complete: true, manifest: { all } });
    return { seconds: (performance.now() - began) / 1000, point, peakMegabytes: peak / 1e6 };
  } finally {
    clearInterval(sampling);
    for (const vault of vaults) await vault.close();
  }
}
