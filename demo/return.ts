/** The second half of the story: what is left of the vaults, one key, and a fresh control plane in another cloud. */
import { ruleById } from '../src/adapt/catalogue.ts';
import { restore } from '../src/pipeline/restore/restore.ts';
import { pointSource } from '../src/pipeline/sources.ts';
import { openReader, unlock } from '../src/repository/index.ts';
import { connectSite } from '../src/site/connect.ts';
import type { VaultConfig } from '../src/vault/config.ts';
import { startSite } from '../test/testbed/kubernetes/site.ts';
import type { Site } from '../test/testbed/kubernetes/site.ts';
import { NEW_CLOUD, SITE } from './plan.ts';
import type { DemoReport } from './report.ts';
import { openDemoVaults } from './repository.ts';
import { count, seconds } from './screen.ts';
import type { Teller } from './screen.ts';

export interface BringBackOptions {
  /** The vaults that are left. */
  readonly vaults: readonly VaultConfig[];
  /** The only key that is left. */
  readonly identity: string;
  /** When the site was lost: milliseconds since the epoch. */
  readonly lostAt: number;
  readonly teller: Teller;
  readonly signal: AbortSignal;
  readonly cleanup: (task: () => Promise<unknown>) => void;
}

export interface BroughtBack extends Pick<DemoReport, 'rtoSeconds' | 'phases' | 'objects' | 'leftOut' | 'failures'> {
  readonly site: Site;
  readonly pointUsed: string;
  /** Points in each vault that is left. */
  readonly pointsIn: ReadonlyMap<string, number>;
  readonly differences: number;
  readonly examples: readonly string[];
}

/** Starts a fresh control plane, and restores the newest point from whatever vault still has it. Nothing else is carried over. */
export async function bringBack({ vaults: configs, identity, lostAt, teller, signal, cleanup }: BringBackOptions): Promise<BroughtBack> {
  const began = Date.now();
  const site = await startSite({ name: `new-${SITE}`, signal });
  cleanup(() => site.stop());
  const startSeconds = (Date.now() - began) / 1000;
  teller.tell(`A fresh control plane is up in ${NEW_CLOUD}, in ${seconds(startSeconds)}`, `empty: it has never heard of ${SITE}`);

  const opening = Date.now();
  const vaults = await openDemoVaults(configs);
  cleanup(() => Promise.all(vaults.map((vault) => vault.close())));
  const { keys } = await unlock(vaults, { identities: [identity] });
  const reader = await openReader({ vaults, keys });
  cleanup(() => reader.close());
  const points = await reader.listPoints({ site: SITE, copies: true });
  const point = await reader.open('latest', { site: SITE, signal });
  const openSeconds = (Date.now() - opening) / 1000;
  teller.tell(
    `${points.length} recovery points found in vaults ${point.vaults.map((name) => `"${name}"`).join(' and ')}`,
    'signatures and chain checked; opened with the age identity: that and a vault’s address are all that is needed',
  );

  const connection = await connectSite({ name: `new-${SITE}`, kubeconfig: site.kubeconfigPath });
  cleanup(() => connection.close());
  const report = await restore({ source: pointSource(point), target: connection, options: {}, signal });
  const rtoSeconds = (Date.now() - lostAt) / 1000;
  teller.tell(`Restored and verified: ${count(report.objects.created + report.objects.updated)} objects written, in ${seconds(report.seconds)}`);

  const intactIn = (vault: string): number => points.filter(({ copies }) => copies?.some((copy) => copy.vault === vault && copy.state === 'complete')).length;
  return {
    site,
    pointUsed: point.header.id,
    pointsIn: new Map(vaults.map(({ name }) => [name, intactIn(name)])),
    rtoSeconds,
    phases: [{ name: 'new control plane', seconds: startSeconds }, { name: 'open vaults', seconds: openSeconds }, ...report.phases],
    objects: report.objects,
    leftOut: leftOut(report.dropped),
    failures: report.failures.map((failure) => `${failure.object}: ${failure.outcome}: ${failure.reason}`),
    differences: (report.verify?.different ?? 0) + (report.verify?.missing ?? 0),
    examples: (report.verify?.details ?? []).map((detail) => `${detail.object}: ${detail.missing ? 'missing' : detail.differences.map((difference) => difference.path).join(', ')}`),
  };
}

/** Dropped objects by the reason a person understands. */
function leftOut(dropped: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(dropped).map(([rule, value]) => [ruleById(rule)?.why ?? rule, value]));
}
