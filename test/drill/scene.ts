import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drill } from '../../src/drill/drill.ts';
import type { DrillOptions, FinishedDrill } from '../../src/drill/drill.ts';
import type { DrillReport } from '../../src/drill/report.ts';
import { writeKeyOf } from '../../src/keys/index.ts';
import type { RepositoryKeys } from '../../src/keys/index.ts';
import { backup } from '../../src/pipeline/backup.ts';
import { openReader, openWriter } from '../../src/repository/index.ts';
import { connectSite } from '../../src/site/connect.ts';
import type { Selection } from '../../src/site/types.ts';
import { makeScene } from '../repository/scene.ts';
import type { MemoryVault } from '../support/memory-vault.ts';
import { ensureControlPlane } from '../testbed/kubernetes/build.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';

/** A site and a repository of it in two vaults, and a folder that drills make theirs in. */
export interface DrillScene extends AsyncDisposable {
  readonly site: Site;
  readonly vaults: readonly MemoryVault[];
  readonly keys: RepositoryKeys;
  /** Nothing but what a drill leaves behind is in it. */
  readonly folder: string;
  readonly assets: string;
  /** Takes a point, and gives its id. */
  backUp(selection?: Selection): Promise<string>;
  drill(options?: Partial<DrillOptions>): Promise<FinishedDrill>;
}

export async function makeDrillScene(): Promise<DrillScene> {
  const [site, repository, assets, folder] = await Promise.all([startSite({ name: 'prod' }), makeScene('near', 'far'), ensureControlPlane(), mkdtemp(join(tmpdir(), 'drill-scene-'))]);
  const { vaults, keys } = repository;
  const connection = await connectSite({ name: 'prod', kubeconfig: site.kubeconfigPath });
  const writer = await openWriter({ vaults, writeKey: writeKeyOf(keys) });
  return {
    site,
    vaults,
    keys,
    folder,
    assets,
    async backUp(selection) {
      const { point } = await backup({ connection, writer, site: 'prod', copies: 2, ...(selection !== undefined && { selection }) });
      return point.header.id;
    },
    async drill(options = {}) {
      const reader = await openReader({ vaults, keys });
      try {
        return await drill({ plan: 'prod', site: 'prod', reader, keys, vaults, copies: 2, assets, folder, ...options });
      } finally {
        await reader.close();
      }
    },
    async [Symbol.asyncDispose]() {
      await writer.close();
      await connection.close();
      await site.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What is wrong by a report, in few words: empty when nothing is. */
export function failuresOf(report: DrillReport): readonly string[] {
  return [
    ...(report.failure === undefined ? [] : [`${report.failure.phase}: ${report.failure.code} ${report.failure.message}`]),
    ...report.checks.flatMap(({ id, title, findings }) => findings.filter(({ failure }) => failure).map(({ object, message }) => `${id === 'custom' ? title : id}: ${object}${object === '' ? '' : ': '}${message}`)),
  ];
}
