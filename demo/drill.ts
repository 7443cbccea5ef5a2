/** A restore that is thrown away, before anything is lost: what it took, what it found, and the page about it. */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drill } from '../src/drill/drill.ts';
import { drillPage } from '../src/drill/page/page.ts';
import { openReader, unlock } from '../src/repository/index.ts';
import { ensureControlPlane } from '../test/testbed/kubernetes/build.ts';
import { SITE } from './plan.ts';
import type { DemoDrill } from './report.ts';
import type { DemoRepository } from './repository.ts';
import { count, seconds } from './screen.ts';
import type { Teller } from './screen.ts';

/** What the demo's plan promises, ms. */
const OBJECTIVES = { rpo: 15 * 60_000, rto: 10 * 60_000 };

export async function practise({ vaults, identity }: DemoRepository, copies: number, teller: Teller, signal: AbortSignal): Promise<DemoDrill> {
  teller.waiting('A drill: the newest safe point goes into a control plane that is thrown away');
  const { keys } = await unlock(vaults, { identities: [identity] });
  const reader = await openReader({ vaults, keys });
  try {
    const finished = await drill({ plan: SITE, site: SITE, reader, keys, vaults, copies, objectives: OBJECTIVES, assets: await ensureControlPlane(), signal });
    const { report } = finished;
    const page = join(tmpdir(), 'lifeboat-demo-drill.html');
    await writeFile(page, drillPage({ ...finished, reportPublicKey: keys.reportPublicKey }));
    const found = report.checks.flatMap(({ findings }) => findings.filter(({ failure }) => failure).map(({ object, message }) => `${object}: ${message}`));
    const restored = report.failure === undefined;
    const taken = report.rto.seconds === undefined ? '' : `, ${seconds(report.rto.seconds)} from nothing to a checked cluster`;
    teller.tell(
      `Drill: ${restored ? `${count(report.restore?.outcomes.created ?? 0)} objects restored into a control plane of its own${taken}` : `it ended early: ${report.failure?.message ?? ''}`}`,
      `RTO ${report.rto.verdict}, RPO ${report.rpo.verdict}; ${count(report.checks.length)} kinds of checks${found.length === 0 ? ' passed' : `, which found ${found.length === 1 ? 'a mistake' : `${found.length} mistakes`} of the site's own: ${found[0] ?? ''}`}`,
      `signed report in ${finished.vaults.length} vaults; the page for auditors: ${page}`,
    );
    return { restored, rtoSeconds: report.rto.seconds ?? null, rto: report.rto.verdict, rpo: report.rpo.verdict, found, report: finished.id, vaults: finished.vaults, page };
  } finally {
    await reader.close();
  }
}
