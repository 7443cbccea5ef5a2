/** The figures of cluster state: backup and restore of 10,000 and 100,000 objects, against a real control plane without controllers. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, generateRepositoryKeys, sealSlot, writeKeyOf } from '../src/keys/index.ts';
import { backup } from '../src/pipeline/backup.ts';
import { restore } from '../src/pipeline/restore/restore.ts';
import { pointSource } from '../src/pipeline/sources.ts';
import type { WriteStats } from '../src/repository/api.ts';
import { createRepository, openReader, openWriter } from '../src/repository/index.ts';
import type { RepositoryKeys } from '../src/keys/index.ts';
import { connectSite } from '../src/site/connect.ts';
import type { SiteConnection } from '../src/site/connect.ts';
import { discover } from '../src/site/discover.ts';
import type { StateSource } from '../src/site/types.ts';
import { openVault } from '../src/vault/open.ts';
import type { Vault } from '../src/vault/vault.ts';
import { fillSite } from '../test/fixtures/fill.ts';
import { NAMESPACES } from '../test/fixtures/fixture-object.ts';
import { town } from '../test/fixtures/town.ts';
import type { ApiClient } from '../test/testbed/kubernetes/api.ts';
import { startSite } from '../test/testbed/kubernetes/site.ts';
import type { Site } from '../test/testbed/kubernetes/site.ts';
import { bareCreates, bareListing, sendAll } from './bare.ts';
import { runCommand } from './command.ts';
import type { CommandRun } from './command.ts';
import { held, median, noted } from './figure.ts';
import type { Figure } from './figure.ts';

type Say = (line: string) => void;

const BACKUP_ROUNDS = 9;
const RESTORE_ROUNDS = 3;
const SMALL = 10_000;
const LARGE = 100_000;

export async function stateFigures(say: Say): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-bench-'));
  try {
    return [...(await tenThousand(folder, say)), ...(await hundredThousand(folder, say))];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function tenThousand(folder: string, say: Say): Promise<Figure[]> {
  await using site = await startSite({ name: 'bench', controllers: false });
  say(`filling a site with ${SMALL} objects`);
  await fillSite(site.api, town(SMALL));
  const connection = await connectSite({ name: 'bench', kubeconfig: site.kubeconfigPath });
  try {
    const backups = await backupFigures(site.api, connection, folder, say);
    return [...backups.figures, ...(await restoreFigures(backups.source, say))];
  } finally {
    await connection.close();
  }
}

async function newRepository(path: string): Promise<{ readonly vault: Vault; readonly keys: RepositoryKeys; readonly identity: string }> {
  const vault = await openVault({ type: 'directory', name: 'bench', path }, { create: true });
  const keys = await generateRepositoryKeys();
  const { identity, recipient } = await generateIdentity('x25519');
  await createRepository({ vaults: [vault], keys, slots: [await sealSlot(keys, { kind: 'age', recipient })] });
  return { vault, keys, identity };
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly seconds: number; readonly result: T }> {
  const began = performance.now();
  const result = await work();
  return { seconds: (performance.now() - began) / 1000, result };
}

async function backupFigures(api: ApiClient, connection: SiteConnection, folder: string, say: Say): Promise<{ readonly figures: Figure[]; readonly source: StateSource }> {
  const { types } = await discover(connection);
  const floors: number[] = [];
  const firsts: number[] = [];
  const seconds: number[] = [];
  let stats: { first: WriteStats; second: WriteStats } | undefined;
  let source: StateSource | undefined;
  // The first round warms everything up and does not count.
  for (let round = 0; round <= BACKUP_ROUNDS; round += 1) {
    const { vault, keys } = await newRepository(join(folder, `small-${round}`));
    const run = async (): Promise<WriteStats> => {
      const writer = await openWriter({ vaults: [vault], writeKey: writeKeyOf(keys) });
      return (await backup({ connection, writer, site: 'bench' })).point.header.stats;
    };
    const floor = await timed(() => bareListing(connection, types));
    const first = await timed(run);
    await changeOnePercent(api, round);
    const second = await timed(run);
    stats = { first: first.result, second: second.result };
    if (round > 0) {
      floors.push(floor.seconds);
      firsts.push(first.seconds);
      seconds.push(second.seconds);
    }
    say(`round ${round}: listing ${floor.seconds.toFixed(3)} s, first backup ${first.seconds.toFixed(3)} s, second ${second.seconds.toFixed(3)} s`);
    if (round < BACKUP_ROUNDS) await rm(join(folder, `small-${round}`), { recursive: true });
    else source = pointSource(await (await openReader({ vaults: [vault], keys })).open('latest'));
  }
  if (stats === undefined || source === undefined) throw new Error('no round was run');
  return {
    source,
    figures: [
      held('backup of 10,000 objects, times a bare listing', median(firsts) / median(floors), 'x', '<=', 1.5),
      held('second backup with 1% changed, times the first', median(seconds) / median(firsts), 'x', '<=', 1),
      held('bytes the second backup adds, of the first', (100 * stats.second.storedBytes) / stats.first.storedBytes, '%', '<', 3),
      noted('bare listing of 10,000 objects', median(floors), 's'),
      noted('backup of 10,000 objects', median(firsts), 's'),
      noted('stored by the first backup, of the JSON read', (100 * stats.first.storedBytes) / stats.first.plaintextBytes, '%'),
    ],
  };
}

/** Changes every hundredth ConfigMap or Secret, each round in its own way. */
async function changeOnePercent(api: ApiClient, round: number): Promise<void> {
  const edits = Array.from({ length: SMALL / 100 }, (_, n) => n * 90 + (round % 4));
  await Promise.all(
    edits.map(async (n) => {
      const plural = n % 4 === 3 ? 'secrets' : 'configmaps';
      const path = `/api/v1/namespaces/${NAMESPACES[n % NAMESPACES.length]}/${plural}/settings-${String(n).padStart(6, '0')}`;
      await api.patch(path, { metadata: { annotations: { 'town.example/round': `${round}` } } });
    }),
  );
}

async function restoreFigures(source: StateSource, say: Say): Promise<Figure[]> {
  const bare: number[] = [];
  const restores: number[] = [];
  let objects = 0;
  for (let round = 0; round < RESTORE_ROUNDS; round += 1) {
    await onFreshSite(async (_, target) => {
      const creates = await bareCreates(source, target);
      objects = creates.length;
      bare.push(await sendAll(creates, target));
    });
    await onFreshSite(async (_, target) => {
      const { seconds, result } = await timed(() => restore({ source, target }));
      if (!result.ok) throw new Error(`the restore is not whole: ${JSON.stringify(result.failures.slice(0, 3))}`);
      restores.push(seconds);
      say(`round ${round + 1}: bare creates ${bare.at(-1)?.toFixed(2)} s, restore ${seconds.toFixed(2)} s (${result.phases.map((phase) => `${phase.name} ${phase.seconds.toFixed(2)}`).join(', ')})`);
    });
  }
  return [
    held('restore of 10,000 objects, rate of bare parallel creates', median(bare) / median(restores), 'x', '>=', 0.8),
    noted('bare creates of the same objects', objects / median(bare), '/s'),
    noted('restore, from load to verified', objects / median(restores), '/s'),
  ];
}

async function onFreshSite(work: (site: Site, target: SiteConnection) => Promise<void>): Promise<void> {
  await using site = await startSite({ controllers: false });
  const target = await connectSite({ name: 'target', kubeconfig: site.kubeconfigPath });
  try {
    await work(site, target);
  } finally {
    await target.close();
  }
}

/** Measured as users run it: the command line in a process of its own, starting included. */
async function hundredThousand(folder: string, say: Say): Promise<Figure[]> {
  const results: { readonly backup: CommandRun; readonly restore: CommandRun }[] = [];
  for (const size of [SMALL, LARGE]) {
    const home = join(folder, `home-${size}`);
    await mkdir(home);
    await using site = await startSite({ controllers: false });
    say(`filling a site with ${size} objects`);
    await fillSite(site.api, town(size));
    await runCommand(home, ['init', '--site', 'bench', '--kubeconfig', site.kubeconfigPath, '--vault', `dir:${join(home, 'vault')}`]);
    const backedUp = await runCommand(home, ['backup', '--quiet']);
    await site.stop();
    await using fresh = await startSite({ controllers: false });
    const restored = await runCommand(home, ['restore', 'latest', '--kubeconfig', fresh.kubeconfigPath, '--yes', '--quiet']);
    results.push({ backup: backedUp, restore: restored });
    say(`${size} objects: backup ${backedUp.seconds.toFixed(2)} s, ${backedUp.peakMegabytes.toFixed(0)} MB; restore ${restored.seconds.toFixed(1)} s, ${restored.peakMegabytes.toFixed(0)} MB`);
  }
  const [small, large] = results;
  if (small === undefined || large === undefined) throw new Error('nothing was measured');
  return [
    held('peak memory of a backup of 100,000 objects', large.backup.peakMegabytes, 'MB', '<=', 400),
    held('peak memory of a restore of 100,000 objects', large.restore.peakMegabytes, 'MB', '<=', 400),
    held('backup of 100,000 objects, times one of 10,000', large.backup.seconds / small.backup.seconds, 'x', '<=', 11),
    held('restore of 100,000 objects, times one of 10,000', large.restore.seconds / small.restore.seconds, 'x', '<=', 11),
  ];
}
