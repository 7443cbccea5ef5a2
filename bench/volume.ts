/** The figures of one large file: backup as a block image and as a stream, and restore, beside kopia and restic. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { messageOf } from '../src/core/errors.ts';
import { formatWriteKey, generateIdentity, generateRepositoryKeys, sealSlot, writeKeyOf } from '../src/keys/index.ts';
import { createRepository } from '../src/repository/index.ts';
import { openDirectoryVault } from '../src/vault/directory.ts';
import { runMeasured, runScript } from './command.ts';
import type { CommandRun } from './command.ts';
import { held, median, noted } from './figure.ts';
import type { Figure } from './figure.ts';
import { writeMixedFile } from './mixed-file.ts';
import { findKopia } from './peers/kopia.ts';
import { findRestic } from './peers/restic.ts';

type Say = (line: string) => void;

const BYTES = 1_500_000_000;
const ROUNDS = 3;
const CHILD = fileURLToPath(new URL('volume.child.ts', import.meta.url));

/** A program that backs one file up into a new place, and restores it from there. */
interface Contender {
  readonly name: string;
  /** Makes an empty repository in a new folder. */
  prepare(folder: string): Promise<void>;
  backup(folder: string, source: string): Promise<CommandRun>;
  /** Restores into a folder that does not exist, or a file in it. Gives the path of the file. */
  restore(folder: string, target: string): Promise<CommandRun & { readonly file: string }>;
  /** Where the repository is, in its folder. */
  readonly stored: string;
}

interface RestoreRun extends CommandRun {
  /** How long it took until what was restored is on the disk: programs end before that, unless they see to it themselves. */
  readonly durableSeconds: number;
}

interface Measured {
  readonly backups: CommandRun[];
  readonly restores: RestoreRun[];
  /** Bytes that the repository takes. */
  stored: number;
}

/** Measures all contenders in turn, round after round. */
export async function volumeFigures(say: Say): Promise<readonly Figure[]> {
  const contenders: Contender[] = [ours('image'), ours('stream')];
  for (const find of [kopia, restic]) {
    try {
      contenders.push(await find(say));
    } catch (error) {
      say(`left out: ${messageOf(error)}`);
    }
  }
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-bench-'));
  try {
    const source = join(folder, 'source');
    await mkdir(source);
    const file = join(source, 'volume.img');
    say(`writing a mixed file of ${BYTES / 1e6} MB`);
    await writeMixedFile(file, BYTES);
    const digest = await sha256(file);
    const results = new Map<string, Measured>(contenders.map(({ name }) => [name, { backups: [], restores: [], stored: 0 }]));
    for (let round = 1; round <= ROUNDS; round++) {
      for (const contender of contenders) {
        const measured = results.get(contender.name);
        if (measured !== undefined) await measure(contender, { folder, file, digest }, measured, (line) => say(`round ${round}, ${contender.name}: ${line}`));
      }
    }
    return figuresOf(results);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(contender: Contender, { folder, file, digest }: { folder: string; file: string; digest: string }, measured: Measured, say: Say): Promise<void> {
  const [place, target] = [join(folder, 'place'), join(folder, 'target')];
  await mkdir(place);
  await contender.prepare(place);
  // What is written to disk late is not to be done on the time of who comes next.
  await runMeasured('sync', []);
  const backup = await contender.backup(place, file);
  measured.backups.push(backup);
  measured.stored = await sizeOf(join(place, contender.stored));
  say(`backup ${inWords(backup)}, stored ${(measured.stored / 1e6).toFixed(0)} MB`);
  await runMeasured('sync', []);
  const restore = await contender.restore(place, target);
  const durableSeconds = restore.seconds + (await runMeasured('sync', [restore.file])).seconds;
  measured.restores.push({ ...restore, durableSeconds });
  say(`restore ${inWords(restore)}, on the disk after ${durableSeconds.toFixed(2)} s`);
  if ((await sha256(restore.file)) !== digest) throw new Error(`${contender.name} restored other bytes`);
  await rm(place, { recursive: true });
  await rm(target, { recursive: true });
}

function inWords({ seconds, cpuSeconds, peakMegabytes }: CommandRun): string {
  return `${seconds.toFixed(2)} s (${(BYTES / 1e6 / seconds).toFixed(0)} MB/s), ${cpuSeconds.toFixed(1)} CPU s, ${peakMegabytes.toFixed(0)} MB`;
}

function figuresOf(results: ReadonlyMap<string, Measured>): Figure[] {
  const figures: Figure[] = [];
  const [image, stream, kopiaRun, resticRun] = ['image', 'stream', 'kopia', 'restic'].map((name) => results.get(name));
  const peers = { kopia: kopiaRun, restic: resticRun };
  const bars = [
    { name: 'image', of: image, kopia: 2.2, restic: 3 },
    { name: 'stream', of: stream, kopia: 1.4, restic: 2 },
  ] as const;
  for (const { name, of, ...bar } of bars) {
    if (of === undefined) continue;
    for (const peer of ['kopia', 'restic'] as const) {
      const other = peers[peer];
      if (other === undefined) continue;
      figures.push(
        held(`backup as ${name}, throughput of ${peer}`, backupSeconds(other) / backupSeconds(of), 'x', '>=', bar[peer]),
        held(`stored as ${name}, size of ${peer}`, of.stored / other.stored, 'x', '<=', 1.1),
      );
    }
    const others = [kopiaRun, resticRun].filter((other) => other !== undefined);
    if (others.length > 0) {
      figures.push(
        held(`restore of ${name}, throughput of the faster peer`, Math.min(...others.map(restoreSeconds)) / restoreSeconds(of), 'x', '>=', 1.5),
        noted(`restore of ${name} until it is on the disk, throughput of the faster peer`, Math.min(...others.map(durableSeconds)) / durableSeconds(of), 'x'),
      );
    }
  }
  for (const [name, measured] of results) {
    figures.push(
      noted(`${name}: backup`, BYTES / 1e6 / backupSeconds(measured), 'MB/s'),
      noted(`${name}: backup, processor time per GB`, median(measured.backups.map((run) => run.cpuSeconds)) / (BYTES / 1e9), 's'),
      noted(`${name}: backup, peak memory`, Math.max(...measured.backups.map((run) => run.peakMegabytes)), 'MB'),
      noted(`${name}: stored, of what was read`, (100 * measured.stored) / BYTES, '%'),
      noted(`${name}: restore`, BYTES / 1e6 / restoreSeconds(measured), 'MB/s'),
      noted(`${name}: restore, processor time per GB`, median(measured.restores.map((run) => run.cpuSeconds)) / (BYTES / 1e9), 's'),
      noted(`${name}: restore, peak memory`, Math.max(...measured.restores.map((run) => run.peakMegabytes)), 'MB'),
    );
  }
  return figures;
}

const backupSeconds = ({ backups }: Measured): number => median(backups.map(({ seconds }) => seconds));
const restoreSeconds = ({ restores }: Measured): number => median(restores.map(({ seconds }) => seconds));
const durableSeconds = ({ restores }: Measured): number => median(restores.map((run) => run.durableSeconds));

function ours(kind: 'image' | 'stream'): Contender {
  const child = (...args: readonly string[]): Promise<CommandRun> =>
    runScript(CHILD, args);
  return {
    name: kind,
    stored: 'vault',
    async prepare(folder) {
      const vault = await openDirectoryVault({ name: 'bench', path: join(folder, 'vault'), create: true });
      const keys = await generateRepositoryKeys();
      const { identity, recipient } = await generateIdentity('x25519');
      await createRepository({ vaults: [vault], keys, slots: [await sealSlot(keys, { kind: 'age', recipient })] });
      await vault.close();
      await writeFile(join(folder, 'write-key'), formatWriteKey(writeKeyOf(keys)));
      await writeFile(join(folder, 'identity'), identity);
    },
    backup: (folder, source) => child(kind, join(folder, 'vault'), join(folder, 'write-key'), source),
    async restore(folder, target) {
      await mkdir(target);
      const file = join(target, 'volume.img');
      return { ...(await child('restore', join(folder, 'vault'), join(folder, 'identity'), file)), file };
    },
  };
}

const snapshotSchema = z.object({ id: z.string() });

/** As its users run it, with the compression that costs it least time. */
async function kopia(say: Say): Promise<Contender> {
  const program = await findKopia();
  say(`kopia ${(await runMeasured(program, ['--version'])).output.trim()}`);
  const snapshots = new Map<string, string>();
  const inFolder = (folder: string) => ({
    env: {
      KOPIA_CONFIG_PATH: join(folder, 'kopia.config'),
      KOPIA_CACHE_DIRECTORY: join(folder, 'cache'),
      KOPIA_LOG_DIR: join(folder, 'log'),
      KOPIA_PASSWORD: 'bench',
      KOPIA_CHECK_FOR_UPDATES: 'false',
    },
  });
  return {
    name: 'kopia',
    stored: 'repository',
    async prepare(folder) {
      await mkdir(join(folder, 'repository'));
      await runMeasured(program, ['repository', 'create', 'filesystem', '--path', join(folder, 'repository')], inFolder(folder));
      await runMeasured(program, ['policy', 'set', '--global', '--compression=zstd-fastest'], inFolder(folder));
    },
    async backup(folder, source) {
      const run = await runMeasured(program, ['snapshot', 'create', '--json', '--no-progress', join(source, '..')], inFolder(folder));
      snapshots.set(folder, snapshotSchema.parse(JSON.parse(run.output)).id);
      return run;
    },
    async restore(folder, target) {
      const run = await runMeasured(program, ['snapshot', 'restore', '--no-progress', snapshots.get(folder) ?? '', target], inFolder(folder));
      return { ...run, file: join(target, 'volume.img') };
    },
  };
}

async function restic(say: Say): Promise<Contender> {
  const program = await findRestic();
  say((await runMeasured(program, ['version'])).output.trim());
  const inFolder = (folder: string) => ({
    env: { RESTIC_REPOSITORY: join(folder, 'repository'), RESTIC_PASSWORD: 'bench', RESTIC_CACHE_DIR: join(folder, 'cache') },
  });
  return {
    name: 'restic',
    stored: 'repository',
    async prepare(folder) {
      await runMeasured(program, ['init', '--quiet'], inFolder(folder));
    },
    backup: (folder, source) => runMeasured(program, ['backup', '--quiet', join(source, '..')], inFolder(folder)),
    async restore(folder, target) {
      const run = await runMeasured(program, ['restore', '--quiet', 'latest', '--target', target], inFolder(folder));
      return { ...run, file: await findFile(target) };
    },
  };
}

/** The one file under a folder: restic puts whole paths there. */
async function findFile(folder: string): Promise<string> {
  const [found] = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  if (found === undefined) throw new Error(`nothing was restored into ${folder}`);
  return join(found.parentPath, found.name);
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}
