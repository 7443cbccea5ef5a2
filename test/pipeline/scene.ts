import { expect } from 'vitest';
import { diffStates } from '../../src/pipeline/diff/diff.ts';
import type { DiffReport } from '../../src/pipeline/diff/report.ts';
import type { RestoreOptions } from '../../src/pipeline/restore/options.ts';
import type { RestoreReport } from '../../src/pipeline/restore/report.ts';
import { restore } from '../../src/pipeline/restore/restore.ts';
import { liveSource } from '../../src/pipeline/sources.ts';
import { connectSite } from '../../src/site/connect.ts';
import type { SiteConnection } from '../../src/site/connect.ts';
import type { Selection, StateSource } from '../../src/site/types.ts';
import type { KubeObject, Manifest } from '../testbed/kubernetes/api.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';

/** A site and a way to it. */
export interface Place extends AsyncDisposable {
  readonly site: Site;
  readonly connection: SiteConnection;
  /** Everything that is there now, or what is selected of it. */
  cut(selection?: Selection): Promise<StateSource>;
  /** `undefined` if there is no such object. */
  find(manifest: Manifest): Promise<KubeObject | undefined>;
}

export async function openPlace(options: { readonly name: string; readonly controllers: boolean; readonly apiServerArgs?: readonly string[] }): Promise<Place> {
  const site = await startSite(options);
  const connection = await connectSite({ name: options.name, kubeconfig: site.kubeconfigPath });
  return {
    site,
    connection,
    cut: (selection) => liveSource(connection, selection === undefined ? {} : { selection }),
    async find(manifest) {
      const answer = await site.api.send('GET', await site.api.pathOf(manifest));
      return answer.status === 404 ? undefined : await site.api.get(await site.api.pathOf(manifest));
    },
    async [Symbol.asyncDispose]() {
      await connection.close();
      await site.stop();
    },
  };
}

/** Restores, with the patience that users have if nothing else is said: what a busy machine makes late is waited for. */
export async function restoreInto(target: Place, source: StateSource, options: RestoreOptions = {}): Promise<RestoreReport> {
  return restore({ source, target: target.connection, options });
}

/** What is wrong with a report, in few words: empty when nothing is. */
export function troubles(report: RestoreReport): readonly string[] {
  return [
    ...report.failures.map(({ object, outcome, reason }) => `${object}: ${outcome}: ${reason}`),
    ...(report.verify?.details ?? []).map(({ object, missing, differences }) => `${object}: ${missing ? 'missing' : JSON.stringify(differences)}`),
  ];
}

/** The differences between what was cut and what a site has now, in few words. */
export async function differencesTo(source: StateSource, target: Place, selection?: Selection): Promise<readonly string[]> {
  return listed(await diffStates(source, await target.cut(selection)));
}

export function listed(report: DiffReport): readonly string[] {
  return report.objects.map(({ object, change, differences }) => `${change} ${object}${differences === undefined ? '' : ` ${JSON.stringify(differences)}`}`);
}

/** A manifest of a namespaced object. */
export function object(apiVersion: string, kind: string, namespace: string, name: string, rest: object = {}, metadata: object = {}): Manifest {
  return { apiVersion, kind, metadata: { name, ...(namespace === '' ? {} : { namespace }), ...metadata }, ...rest };
}

export const namespace = (name: string, labels: object = {}): Manifest => object('v1', 'Namespace', '', name, {}, { labels });
export const configMap = (ns: string, name: string, data: object = {}, metadata: object = {}): Manifest => object('v1', 'ConfigMap', ns, name, { data }, metadata);

/** A text that contains, or matches, this: for parts of expected values. */
export const text = (part: string | RegExp): unknown => (typeof part === 'string' ? expect.stringContaining(part) : expect.stringMatching(part));
