/** The demo: a site lives in one of three clouds and is backed up to all of them; its own cloud is lost whole; it comes back in another. */
import { NAMESPACES } from '../test/fixtures/fixture-object.ts';
import { fillSite } from '../test/fixtures/fill.ts';
import { town } from '../test/fixtures/town.ts';
import { startSite } from '../test/testbed/kubernetes/site.ts';
import type { Site } from '../test/testbed/kubernetes/site.ts';
import { backUps } from './backups.ts';
import { lastMinutes } from './changes.ts';
import { Cleanup } from './cleanup.ts';
import { furnish, prepare, startClouds } from './clouds.ts';
import type { Clouds } from './clouds.ts';
import { missingFrom, takeListing } from './listing.ts';
import { LOST_CLOUD, NEW_CLOUD, SITE } from './plan.ts';
import type { DemoPlaces } from './plan.ts';
import { makePlan } from './promise.ts';
import type { DemoReport } from './report.ts';
import { practise } from './drill.ts';
import { openRepository } from './repository.ts';
import { bringBack } from './return.ts';
import { count } from './screen.ts';
import type { Teller } from './screen.ts';

export interface StoryOptions {
  readonly objects: number;
  readonly teller: Teller;
  readonly signal: AbortSignal;
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
  const { site: harbour, clouds, places } = await settle(objects, teller, signal, cleanup);
  const { config, summary: plan } = makePlan(places, teller);
  const configs = [...config.vaults.values()];
  const cloudOf = (vault: string): string => config.vaults.get(vault)?.domain?.cloud ?? '';
  const repository = await openRepository(configs, places.kms);
  cleanup.add(() => repository.close());

  const away = { vault: 'gcs', server: clouds.gcs };
  const before = await backUps({ site: harbour, repository, copies: plan.copies, away, teller, signal });
  const drilled = await practise(repository, plan.copies, teller, signal);
  const listing = await takeListing(harbour.api);
  const lostObjects = await lastMinutes(harbour.api);

  await Promise.all([harbour.kill(), clouds.s3.stop(), clouds.kms.stop()]);
  const lostAt = Date.now();
  const rpoSeconds = (lostAt - Date.parse(before.summary.at)) / 1000;
  await repository.close();
  teller.disaster(
    `Cloud "${LOST_CLOUD}" is gone, with all that stood in it`,
    `the site ${SITE}: etcd, API server and controllers killed, the disk deleted`,
    'the vault "s3" with every object, and the key service that could open the repository without typing',
  );

  const left = configs.filter(({ name }) => cloudOf(name) !== LOST_CLOUD);
  const back = await bringBack({ vaults: left, identity: repository.identity, lostAt, teller, signal, cleanup: (task) => cleanup.add(task) });
  const missingFromListing = missingFrom(listing, await takeListing(back.site.api));
  const products: Readonly<Record<string, string>> = { s3: clouds.s3.product, gcs: clouds.gcs.product, azure: clouds.azure.product };
  const held = plan.holds && plan.refused !== null && before.replicated.level && before.backups.every(({ safe, complete }) => safe && complete);
  const restored = back.failures.length === 0 && back.differences === 0 && missingFromListing.length === 0;
  const everywhere = [...back.pointsIn.values()].every((points) => points === before.backups.length);
  return {
    ok: held && drilled.restored && restored && everywhere && back.pointUsed === before.backups.at(-1)?.point,
    rpoSeconds,
    rtoSeconds: back.rtoSeconds,
    phases: back.phases,
    objects: back.objects,
    vaults: repository.vaults.map(({ name, location }) => ({
      name,
      cloud: cloudOf(name),
      product: products[name] ?? '',
      location,
      fate: cloudOf(name) === LOST_CLOUD ? 'deleted' : 'survived',
      points: back.pointsIn.get(name) ?? 0,
    })),
    keys: [
      { kind: 'aws-kms', cloud: LOST_CLOUD, fate: 'lost' },
      { kind: 'age', cloud: null, fate: 'used' },
    ],
    plan,
    site: {
      cloud: LOST_CLOUD,
      kubernetes: before.summary.kubernetesVersion,
      objects: before.summary.types.reduce((sum, type) => sum + type.count, 0),
      types: before.summary.types.filter((type) => type.count > 0).length,
      namespaces: NAMESPACES.length,
    },
    restoredIn: NEW_CLOUD,
    backups: before.backups,
    replicated: before.replicated,
    drill: drilled,
    lostObjects,
    comparison: { differences: back.differences, examples: back.examples, missingFromListing },
    leftOut: back.leftOut,
    failures: back.failures,
  };
}

interface Settled {
  readonly site: Site;
  readonly clouds: Clouds;
  readonly places: DemoPlaces;
}

/** Starts everything, and fills the site. */
async function settle(objects: number, teller: Teller, signal: AbortSignal, cleanup: Cleanup): Promise<Settled> {
  teller.waiting('Starting three clouds: a real Kubernetes control plane, an S3 server, a Google Cloud Storage server, an Azure server, a key service');
  await prepare(signal);
  signal.throwIfAborted();
  const contents = town(objects);
  const filled = async (): Promise<Site> => {
    const started = await cleanup.stopping(startSite({ name: SITE, signal }));
    await fillSite(started.api, contents);
    return started;
  };
  const [site, clouds] = await Promise.all([filled(), startClouds(signal, cleanup)]);
  teller.tell(
    `Site "${SITE}" in cloud "${LOST_CLOUD}": a real control plane with ${count(contents.count)} objects in ${NAMESPACES.length} namespaces`,
    'Deployments, StatefulSets, RBAC, custom resources, Secrets, webhooks, policies, quotas …',
  );
  return { site, clouds, places: await furnish(clouds) };
}
