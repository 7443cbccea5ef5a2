/** The first half of the story: two backups, one of them while a vault is down, and how that vault is brought level. */
import type { Warning } from '../src/core/progress.ts';
import { backup } from '../src/pipeline/backup.ts';
import { replicatePlans } from '../src/pipeline/replicate.ts';
import { connectSite } from '../src/site/connect.ts';
import type { CutSummary } from '../src/site/types.ts';
import type { HttpServer } from '../test/testbed/http-server.ts';
import type { Site } from '../test/testbed/kubernetes/site.ts';
import { ordinaryMorning } from './changes.ts';
import { SITE } from './plan.ts';
import type { DemoBackup, DemoReplicated } from './report.ts';
import type { DemoRepository } from './repository.ts';
import { bytes, count, seconds } from './screen.ts';
import type { Teller } from './screen.ts';

export interface BackUpsOptions {
  readonly site: Site;
  readonly repository: DemoRepository;
  /** Vaults that must hold a point for it to be safe. */
  readonly copies: number;
  /** The vault that is down during the second backup, and its server. */
  readonly away: { readonly vault: string; readonly server: HttpServer };
  readonly teller: Teller;
  readonly signal: AbortSignal;
}

export interface BackedUp {
  readonly backups: readonly DemoBackup[];
  readonly replicated: DemoReplicated;
  /** What the last point holds, and the moment it shows. */
  readonly summary: CutSummary;
}

/** One backup, an ordinary morning, another backup with a vault down, and replicate. */
export async function backUps(options: BackUpsOptions): Promise<BackedUp> {
  const { site, repository, copies, away, teller, signal } = options;
  const names = repository.vaults.map(({ name }) => name);
  const connection = await connectSite({ name: SITE, kubeconfig: site.kubeconfigPath });
  try {
    const once = async (): Promise<{ readonly kept: DemoBackup; readonly summary: CutSummary; readonly warnings: readonly Warning[] }> => {
      const began = performance.now();
      const warnings: Warning[] = [];
      const { point, summary } = await backup({ connection, writer: repository.writer, site: SITE, copies, signal, onWarning: (warning) => warnings.push(warning) });
      const { stats } = point.header;
      const kept = {
        point: point.header.id,
        seconds: (performance.now() - began) / 1000,
        objects: stats.recordsTotal,
        plaintextBytes: stats.plaintextBytes,
        storedBytes: stats.storedBytes,
        complete: point.header.complete,
        safe: point.safe,
        vaults: point.vaults,
        absent: names.filter((name) => !point.vaults.includes(name)),
      };
      return { kept, summary, warnings };
    };
    const safety = ({ safe, vaults }: DemoBackup): string => `${safe ? 'safe' : 'NOT SAFE'}: in ${vaults.length} of ${names.length} vaults (${vaults.join(', ')}), ${copies} needed`;

    const first = await once();
    teller.tell(
      `Backup 1: ${count(first.kept.objects)} objects as they were at revision ${first.summary.revision}, in ${seconds(first.kept.seconds)}`,
      safety(first.kept),
      `${bytes(first.kept.plaintextBytes)} read · ${bytes(first.kept.storedBytes)} stored in each vault`,
    );
    const changes = await ordinaryMorning(site.api);
    await away.server.kill();
    teller.disaster(`An ordinary morning: ${changes.edited} objects edited, ${changes.created} new, ${changes.deleted} deleted. And vault "${away.vault}" goes down`);
    const second = await once();
    teller.tell(
      `Backup 2: all ${count(second.kept.objects)} objects again, in ${seconds(second.kept.seconds)}`,
      ...second.warnings.slice(0, 1).map(({ message }) => `warning: ${message}`),
      safety(second.kept),
      `${bytes(second.kept.storedBytes)} stored: ${((100 * second.kept.storedBytes) / first.kept.storedBytes).toFixed(1)}% of what the first one cost`,
    );
    const replicated = await bringLevel(repository, away, signal);
    teller.tell(
      `"${replicated.vault}" is back. Replicate: ${replicated.points} point and ${replicated.packs} ${replicated.packs === 1 ? 'pack' : 'packs'} copied in ${seconds(replicated.seconds)}${replicated.level ? '; all vaults are level' : ', AND IT IS NOT LEVEL'}`,
      `${bytes(replicated.bytes)} of ciphertext, byte for byte, without any key`,
    );
    return { backups: [first.kept, second.kept], replicated, summary: second.summary };
  } finally {
    await connection.close();
  }
}

/** The vault comes back with what it had, and gets what it missed. */
async function bringLevel({ vaults }: DemoRepository, { vault, server }: BackUpsOptions['away'], signal: AbortSignal): Promise<DemoReplicated> {
  await server.restart();
  const began = performance.now();
  const plans = [{ name: SITE, site: SITE, vaults: vaults.map(({ name }) => name) }];
  const [run] = await replicatePlans({ vaults, plans, signal });
  const levelled = run?.vaults.find(({ name }) => name === vault);
  return {
    vault,
    level: run?.vaults.every(({ state }) => state === 'level') === true && run.problems.length === 0,
    points: levelled?.copied.points ?? 0,
    packs: levelled?.copied.packs ?? 0,
    bytes: levelled?.copied.bytes ?? 0,
    seconds: (performance.now() - began) / 1000,
  };
}
