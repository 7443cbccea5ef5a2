/** The demo: a site lives, is backed up, is lost with one of its vaults, and comes back in a fresh cluster. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CutSummary } from '../src/site/types.ts';
import { backup } from '../src/pipeline/backup.ts';
import { connectSite } from '../src/site/connect.ts';
import { fillSite } from '../test/fixtures/fill.ts';
import { NAMESPACES } from '../test/fixtures/fixture-object.ts';
import { town } from '../test/fixtures/town.ts';
import { startSite } from '../test/testbed/kubernetes/site.ts';
import type { Site } from '../test/testbed/kubernetes/site.ts';
import { startSeaweedfs } from '../test/testbed/s3/seaweedfs.ts';
import { lastMinutes, ordinaryMorning } from './changes.ts';
import { missingFrom, takeListing } from './listing.ts';
import { openRepository } from './repository.ts';
import type { DemoRepository } from './repository.ts';
import type { DemoBackup, DemoReport, DemoVault } from './report.ts';
import { bringBack } from './return.ts';
import { bytes, count, seconds } from './screen.ts';
import type { Teller } from './screen.ts';

export interface StoryOptions {
  readonly objects: number;
  readonly teller: Teller;
  readonly signal: AbortSignal;
}

/** What is released at the end, in reverse order, whatever happened. */
class Cleanup {
  readonly #tasks: (() => Promise<unknown>)[] = [];

  add(task: () => Promise<unknown>): void {
    this.#tasks.push(task);
  }

  async run(): Promise<void> {
    for (const task of this.#tasks.splice(0).toReversed()) await task();
  }
}

export async function tellTheStory(options: StoryOptions): Promise<DemoReport> {
  const cleanup = new Cleanup();
  try {
    return await story(options, cleanup);
  } finally {
    await cleanup.run();
  }
}

async function story({ objects, teller, signal }: StoryOptions, cleanup: Cleanup): Promise<DemoReport> {
  teller.waiting('Starting a real Kubernetes control plane and an S3 server (the first time, they are built: some minutes)');
  const harbour = await startSite({ name: 'harbour', signal });
  cleanup.add(() => harbour.stop());
  const store = await startSeaweedfs({ signal });
  cleanup.add(() => store.stop());
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-demo-'));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));

  const contents = town(objects);
  await fillSite(harbour.api, contents);
  teller.tell(`Site "harbour": a real control plane with ${count(contents.count)} objects in ${NAMESPACES.length} namespaces`, 'Deployments, StatefulSets, RBAC, custom resources, Secrets, webhooks, policies, quotas …');

  process.env['DEMO_ACCESS_KEY_ID'] = store.credentials.accessKeyId;
  process.env['DEMO_SECRET_ACCESS_KEY'] = store.credentials.secretAccessKey;
  const cellar = join(folder, 'cellar');
  const repository = await openRepository([
    { type: 'directory', name: 'cellar', path: cellar },
    {
      type: 's3',
      name: 'offsite',
      bucket: await store.createBucket({ label: 'offsite' }),
      endpoint: store.endpoint,
      credentials: { accessKeyIdEnv: 'DEMO_ACCESS_KEY_ID', secretAccessKeyEnv: 'DEMO_SECRET_ACCESS_KEY' },
    },
  ]);
  cleanup.add(() => repository.close());
  teller.tell(`Two vaults: "cellar", a folder, and "offsite", an S3 bucket on ${store.product}`, 'the machine that backs up holds the write key: it cannot read what it wrote');

  const before = await backUps(harbour, repository, { teller, signal });
  const listing = await takeListing(harbour.api);
  const lostObjects = await lastMinutes(harbour.api);

  await harbour.kill();
  await rm(cellar, { recursive: true, force: true });
  const lostAt = Date.now();
  const rpoSeconds = (lostAt - Date.parse(before.summary.at)) / 1000;
  teller.disaster('harbour is gone: etcd, API server and controllers killed, the disk deleted', 'and with it the vault "cellar", which stood in the same building');

  const back = await bringBack({ repository, lostAt, teller, signal, cleanup: (task) => cleanup.add(task) });
  const missingFromListing = missingFrom(listing, await takeListing(back.site.api));
  const vaults: DemoVault[] = repository.vaults.map((vault) => ({
    name: vault.name,
    location: vault.location,
    fate: vault.name === 'cellar' ? 'deleted' : 'survived',
    points: vault.name === 'cellar' ? 0 : back.pointsFound,
  }));
  const failed = back.failures.length;
  return {
    ok: failed === 0 && back.differences === 0 && missingFromListing.length === 0 && back.pointUsed === before.backups.at(-1)?.point,
    rpoSeconds,
    rtoSeconds: back.rtoSeconds,
    phases: back.phases,
    objects: back.objects,
    vaults,
    site: { kubernetes: before.summary.kubernetesVersion, objects: before.summary.types.reduce((sum, type) => sum + type.count, 0), types: before.summary.types.filter((type) => type.count > 0).length, namespaces: NAMESPACES.length },
    backups: before.backups,
    lostObjects,
    comparison: { differences: back.differences, examples: back.examples, missingFromListing },
    leftOut: back.leftOut,
    failures: back.failures,
  };
}

interface BackedUp {
  readonly backups: readonly DemoBackup[];
  /** What the last point holds, and the moment it shows. */
  readonly summary: CutSummary;
}

/** One backup, an ordinary morning, and another backup. */
async function backUps(site: Site, repository: DemoRepository, { teller, signal }: Pick<StoryOptions, 'teller' | 'signal'>): Promise<BackedUp> {
  const connection = await connectSite({ name: 'harbour', kubeconfig: site.kubeconfigPath });
  try {
    const once = async (): Promise<{ readonly kept: DemoBackup; readonly summary: CutSummary }> => {
      const began = performance.now();
      const { point, summary } = await backup({ connection, writer: repository.writer, site: 'harbour', signal });
      const { stats } = point.header;
      const kept = {
        point: point.header.id,
        seconds: (performance.now() - began) / 1000,
        objects: stats.recordsTotal,
        plaintextBytes: stats.plaintextBytes,
        storedBytes: stats.storedBytes,
        complete: point.header.complete,
      };
      return { kept, summary };
    };
    const first = await once();
    teller.tell(
      `Backup 1: ${count(first.kept.objects)} objects as they were at revision ${first.summary.revision}, in ${seconds(first.kept.seconds)}`,
      `${bytes(first.kept.plaintextBytes)} read · ${bytes(first.kept.storedBytes)} stored in each vault`,
    );
    const changes = await ordinaryMorning(site.api);
    teller.tell(`An ordinary morning: ${changes.edited} objects edited, ${changes.created} new, ${changes.deleted} deleted`);
    const second = await once();
    teller.tell(
      `Backup 2: all ${count(second.kept.objects)} objects again, in ${seconds(second.kept.seconds)}`,
      `${bytes(second.kept.storedBytes)} stored: ${((100 * second.kept.storedBytes) / first.kept.storedBytes).toFixed(1)}% of what the first one cost`,
    );
    return { backups: [first.kept, second.kept], summary: second.summary };
  } finally {
    await connection.close();
  }
}
