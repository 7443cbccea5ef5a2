/** The backup half of the demo on one's own cluster: reads it, and writes only into a temporary folder that is removed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backup } from '../src/pipeline/backup.ts';
import { connectSite } from '../src/site/connect.ts';
import type { CutType } from '../src/site/types.ts';
import { typeName } from '../src/site/types.ts';
import { openRepository } from './repository.ts';
import { bytes, count, seconds } from './screen.ts';
import type { Teller } from './screen.ts';

export interface OwnClusterReport {
  /** Everything was read. */
  readonly ok: boolean;
  readonly server: string;
  readonly kubernetes: string;
  readonly objects: number;
  readonly types: readonly { readonly type: string; readonly objects: number; readonly fidelity: CutType['fidelity']; readonly reason?: string }[];
  readonly backups: readonly { readonly seconds: number; readonly plaintextBytes: number; readonly storedBytes: number }[];
}

export interface OwnClusterOptions {
  readonly kubeconfig: string;
  readonly context?: string | undefined;
  readonly teller: Teller;
  readonly signal: AbortSignal;
}

/** Backs up a cluster twice into a folder that is thrown away, and says what a real backup would be like. */
export async function backUpOwnCluster({ kubeconfig, context, teller, signal }: OwnClusterOptions): Promise<OwnClusterReport> {
  const connection = await connectSite({ name: 'your cluster', kubeconfig, context });
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-trial-'));
  try {
    teller.tell(`Your cluster at ${connection.server}`, 'lifeboat only reads: lists, and nothing else');
    const repository = await openRepository([{ type: 'directory', name: 'trial', path: join(folder, 'vault') }]);
    try {
      const backups: OwnClusterReport['backups'][number][] = [];
      for (const turn of ['first', 'second'] as const) {
        const began = performance.now();
        const { point, summary } = await backup({ connection, writer: repository.writer, site: 'trial', signal });
        const took = (performance.now() - began) / 1000;
        const { stats } = point.header;
        backups.push({ seconds: took, plaintextBytes: stats.plaintextBytes, storedBytes: stats.storedBytes });
        teller.tell(
          `A ${turn} backup: ${count(stats.recordsTotal)} objects of ${summary.types.filter((type) => type.count > 0).length} types at revision ${summary.revision}, ${seconds(took)}`,
          `${bytes(stats.plaintextBytes)} read, ${bytes(stats.storedBytes)} stored, sealed`,
        );
        if (turn === 'first') continue;
        const missing = summary.types.filter((type) => type.fidelity !== 'exact');
        for (const type of missing) teller.disaster(`${typeName(type)}: ${type.fidelity === 'missing' ? 'not read' : 'not read at the same moment'}`, type.reason ?? '');
        teller.tell('The trial backup is removed again.', 'For good: npx lifeboat init --help');
        return {
          ok: missing.length === 0,
          server: connection.server,
          kubernetes: summary.kubernetesVersion,
          objects: stats.recordsTotal,
          types: summary.types.map((type) => ({ type: typeName(type), objects: type.count, fidelity: type.fidelity, ...(type.reason === undefined ? {} : { reason: type.reason }) })),
          backups,
        };
      }
      throw new Error('unreachable: the second turn returns');
    } finally {
      await repository.close();
    }
  } finally {
    await connection.close();
    await rm(folder, { recursive: true, force: true });
  }
}
