import { describe, expect, it } from 'vitest';
import { DRILL_REPORTS } from '../../src/drill/report.ts';
import type { DrillReport } from '../../src/drill/report.ts';
import { lastDrillsOf } from '../../src/jobs/last-drill.ts';
import { keepReport, signReport } from '../../src/repository/index.ts';
import { makeScene } from '../repository/scene.ts';
import type { Scene } from '../repository/scene.ts';
import { iso } from './telling.ts';

function report(scene: Scene, plan: string, minutes: number, more: Partial<DrillReport> = {}): DrillReport {
  const at = iso(minutes);
  return {
    repository: scene.keys.repositoryId,
    plan,
    site: plan,
    startedAt: at,
    at,
    ok: true,
    point: { id: 'p', at, committedAt: at, chosen: 'newest', safe: true, complete: true, vaults: ['a'], copies: 1 },
    cluster: { kind: 'control-plane', name: 'drill', kubernetesVersion: 'v1.36.0', notRun: [], removed: true },
    checks: [],
    notChecked: [],
    rto: { seconds: 40, verdict: 'met', phases: [] },
    rpo: { from: at, to: at, verdict: 'unknown', points: 1, estimated: 0, withoutSeconds: 0, curve: [] },
    warnings: [],
    ...more,
  };
}

async function keep(scene: Scene, one: DrillReport): Promise<void> {
  await keepReport(DRILL_REPORTS, signReport(DRILL_REPORTS, one, scene.keys), scene.vaults);
}

describe('the last drills', () => {
  it('are the newest genuine reports of each plan, also far behind those of another', async () => {
    const scene = await makeScene('a', 'b');
    await keep(scene, report(scene, 'weekly', -1000, { ok: false, rto: { verdict: 'unknown', phases: [] } }));
    for (let i = 0; i < 80; i++) await keep(scene, report(scene, 'nightly', i));
    const forged = signReport(DRILL_REPORTS, report(scene, 'weekly', 500), (await makeScene('c')).keys);
    await keepReport(DRILL_REPORTS, forged, scene.vaults);
    expect([...(await lastDrillsOf(['weekly', 'never'], scene.vaults))]).toEqual([
      ['nightly', { at: iso(79), ok: true, rtoSeconds: 40 }],
      ['weekly', { at: iso(-1000), ok: false }],
    ]);
    expect((await lastDrillsOf(['nightly'], scene.vaults)).get('nightly')).toEqual({ at: iso(79), ok: true, rtoSeconds: 40 });
  });

  it('are none in a repository without any', async () => {
    expect([...(await lastDrillsOf(['prod'], (await makeScene('a')).vaults))]).toEqual([]);
  });
});
