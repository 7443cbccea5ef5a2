import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseObject, textAt } from '../adapt/json.ts';
import { LifeboatError } from '../core/errors.ts';
import type { Warning } from '../core/progress.ts';
import { nameEntry } from '../pipeline/restore/run.ts';
import type { PreparedPlan } from '../pipeline/restore/build-plan.ts';
import type { SiteConnection } from '../site/connect.ts';
import type { SiteAccess } from '../site/kubeconfig.ts';
import { identifySite } from '../site/revision.ts';
import { typeName } from '../site/types.ts';
import type { StateSource } from '../site/types.ts';
import { Inventory } from './checks/inventory.ts';
import { openOwnedFolder } from './keeper/owned-folder.ts';
import { namesIn, removeMarked } from './marked.ts';
import { holdSite } from './spare-lease.ts';
import type { HeldSite } from './spare-lease.ts';
import type { DrillTarget } from './target.ts';

/** Every cluster has them, and in a spare site they hold what is not the drill's. */
const EVERY_CLUSTER: readonly string[] = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const DEFINITIONS = 'customresourcedefinitions.apiextensions.k8s.io';

export interface SpareSite {
  readonly name: string;
  /** Stays the caller's to close. */
  readonly connection: SiteConnection;
  /** How it is reached: commands get a kubeconfig with this and nothing else. */
  readonly access?: SiteAccess | undefined;
}

/**
 * Makes a spare site ready for one drill: what earlier drills left there, because they were killed, is removed first. What the drill creates is
 * marked; nothing else is ever changed or removed. Throws what the site throws.
 */
export async function spareTarget(site: SpareSite, mark: string, options: { readonly folder?: string | undefined; readonly signal?: AbortSignal | undefined; readonly onWarning: (warning: Warning) => void }): Promise<DrillTarget> {
  const { connection, name, access } = site;
  const { signal, onWarning } = options;
  const folder = await openOwnedFolder('drill', options.folder);
  let held: HeldSite | undefined;
  const kubeconfig = access === undefined ? undefined : await writeKubeconfig(access, folder.path);
  return {
    kind: 'site',
    name,
    connection,
    kubeconfig,
    folder,
    drill: { spare: true, mark },
    notRun: [],
    secrets: [access?.user.token, access?.user.password, access?.user['client-key-data']].filter((secret) => secret !== undefined),
    notChecked: [
      `Objects in the namespaces that every cluster has (${EVERY_CLUSTER.join(', ')}): a spare site has its own there`,
      'Custom resources whose definitions the spare site has already: an operator there would act on them',
    ],
    async options(source) {
      await refuseSource(source, site, signal);
      held = await holdSite(connection, mark, { signal, onWarning });
      const left = await removeMarked(connection, undefined, signal);
      if (left.length > 0) onWarning({ kind: 'drill-left', message: `${left.length} objects that an earlier drill left were removed, or are being removed`, where: `site "${name}"` });
      await refuseUsed(source, site, signal);
      const { customTypes } = await definitionsOf(source, connection, signal);
      return { existing: 'skip', selection: { excludeNamespaces: EVERY_CLUSTER, ...(customTypes.length > 0 && { excludeTypes: customTypes }) } };
    },
    check: (prepared) => refuseChanges(prepared, name),
    async remove(warn) {
      if (held === undefined) return true;
      const left = await removeMarked(connection, mark, undefined);
      if (left.length === 0) return true;
      warn({ kind: 'drill-left', message: `${left.length} objects of the drill are still there: ${left.slice(0, 5).join(', ')}. The next drill removes them`, where: `site "${name}"` });
      return false;
    },
    async close() {
      await held?.release();
      held = undefined;
      await folder.close();
    },
  };
}

/** One context and no other: a command must not come into the user's other clusters by mistake. */
async function writeKubeconfig({ cluster, user }: SiteAccess, folder: string): Promise<string> {
  const name = 'lifeboat-drill';
  const contexts = [{ name, context: { cluster: name, user: name } }];
  const document = { apiVersion: 'v1', kind: 'Config', clusters: [{ name, cluster }], users: [{ name, user }], contexts, 'current-context': name };
  const path = join(folder, 'kubeconfig');
  await writeFile(path, JSON.stringify(document), { mode: 0o600 });
  return path;
}

/** Neither the cluster that the point was taken from, nor one of which that cannot be told. */
async function refuseSource(source: StateSource, { name, connection }: SpareSite, signal: AbortSignal | undefined): Promise<void> {
  const { clusterUid } = await identifySite(connection, signal);
  if (clusterUid !== '' && source.summary.clusterUid !== '' && clusterUid !== source.summary.clusterUid) return;
  const same = clusterUid !== '' && clusterUid === source.summary.clusterUid;
  throw new LifeboatError('LB_RESTORE_INTO_SOURCE', same ? `Site "${name}" is the cluster that ${source.label} was taken from` : `It cannot be told whether site "${name}" is the cluster that ${source.label} was taken from`, {
    where: connection.server,
    hint: 'Drill into another site, or into a control plane of its own (without --into).',
  });
}

async function refuseUsed(source: StateSource, { name, connection }: SpareSite, signal: AbortSignal | undefined): Promise<void> {
  const there = await Inventory.read(connection, ['namespaces'], [], signal);
  const used: string[] = [];
  for (const namespace of await namespacesOf(source, signal)) if (!EVERY_CLUSTER.includes(namespace) && there.has('namespaces', '', namespace)) used.push(namespace);
  if (used.length === 0) return;
  throw new LifeboatError('LB_DRILL_SITE_USED', `Site "${name}" has namespaces of the point already: ${used.slice(0, 5).join(', ')}${used.length > 5 ? ', …' : ''}`, {
    where: connection.server,
    hint: 'Name a site that has nothing of the kind, or drill into a control plane of its own (without --into).',
  });
}

async function namespacesOf(source: StateSource, signal: AbortSignal | undefined): Promise<string[]> {
  const names: string[] = [];
  for (const type of source.summary.types) {
    if (typeName(type) !== 'namespaces') continue;
    for await (const bytes of source.objects(type, { signal })) names.push(textAt(parseObject(bytes), 'metadata', 'name'));
  }
  return names;
}

/** Types of the point that the spare site has a definition of. */
async function definitionsOf(source: StateSource, connection: SiteConnection, signal: AbortSignal | undefined): Promise<{ readonly customTypes: readonly string[] }> {
  const there = new Set(await namesIn(connection, DEFINITIONS, signal));
  return { customTypes: source.summary.types.map(typeName).filter((type) => there.has(type)) };
}

/** What is there already could not be put back as it was. */
function refuseChanges({ plan }: PreparedPlan, name: string): void {
  const changed = plan.entries.filter((entry) => entry.action === 'update' || entry.relink === true).flatMap((entry) => {
    const type = plan.types[entry.type];
    return type === undefined ? [] : [nameEntry(type, entry)];
  });
  if (changed.length === 0) return;
  throw new LifeboatError('LB_DRILL_SITE_USED', `A restore would change what site "${name}" has already: ${changed.slice(0, 5).join(', ')}${changed.length > 5 ? ', …' : ''}`, {
    hint: 'Name another site, or drill into a control plane of its own (without --into).',
  });
}
