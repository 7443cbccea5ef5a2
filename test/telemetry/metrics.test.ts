import { describe, expect, it } from 'vitest';
import { METRICS } from '../../src/telemetry/metrics/definitions.ts';
import { Metrics } from '../../src/telemetry/metrics/metrics.ts';
import { showPlans } from '../../src/telemetry/metrics/plans.ts';
import type { PlanGauges } from '../../src/telemetry/metrics/plans.ts';

const NOW = Date.parse('2026-03-14T02:20:00Z');

function plan(name: string, more: Partial<PlanGauges> = {}): PlanGauges {
  return { plan: name, safePointAt: NOW - 300_000, vaults: [], rpo: { objective: 900_000, met: true }, rto: { objective: undefined, measured: undefined, met: undefined }, schedules: [], drill: undefined, ...more };
}

async function values(metrics: Metrics): Promise<readonly string[]> {
  const { text } = await metrics.text();
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('metrics', () => {
  it('are named by the conventions: units at the end, counters _total, every one explained', () => {
    for (const [name, { type, help }] of Object.entries(METRICS)) {
      expect(name).toMatch(/^(lifeboat|process)_[a-z_]+$/);
      expect({ name, total: name.endsWith('_total') }).toEqual({ name, total: type === 'counter' });
      expect({ name, seconds: type !== 'histogram' || name.endsWith('_seconds') }).toEqual({ name, seconds: true });
      expect(name).not.toMatch(/_(ms|milliseconds|minutes|kb|mb)\b/);
      expect(help.length).toBeGreaterThan(5);
    }
  });

  it('say nothing of what is not known', async () => {
    const metrics = new Metrics();
    const shown = await values(metrics);
    expect(shown.filter((line) => line.startsWith('lifeboat_'))).toEqual([]);
    expect(shown.find((line) => line.startsWith('process_resident_memory_bytes '))).toMatch(/ \d{7,}$/);
  });

  it('of plans are as old as they are when asked, and those of plans that are gone go', async () => {
    const metrics = new Metrics();
    const first = { readAt: NOW, now: NOW + 30_000 };
    showPlans(metrics, [plan('prod', { vaults: [{ vault: 'near', pointAt: NOW }] }), plan('edge', { safePointAt: undefined, rpo: { objective: 60_000, met: false } })], [{ vault: 'near', reachable: true, verifiedAt: undefined, fullyVerifiedAt: undefined, findings: undefined }], first);
    const shown = await values(metrics);
    expect(shown).toContain('lifeboat_safe_point_age_seconds{plan="prod"} 330');
    expect(shown).toContain('lifeboat_vault_point_age_seconds{plan="prod",vault="near"} 30');
    expect(shown).toContain('lifeboat_objective_met{plan="edge",objective="rpo"} 0');
    expect(shown).toContain('lifeboat_vault_reachable{vault="near"} 1');
    expect(shown.some((line) => line.startsWith('lifeboat_safe_point_age_seconds{plan="edge"}'))).toBe(false);
    expect(shown.some((line) => line.includes('objective="rto"'))).toBe(false);
    showPlans(metrics, [plan('edge')], [], first);
    expect((await values(metrics)).filter((line) => line.includes('prod') || line.includes('near'))).toEqual([]);
  });

  it('keep the number of series bounded, whatever names come', async () => {
    const metrics = new Metrics();
    metrics.expect({ plans: ['prod'], vaults: ['near'] });
    for (let i = 0; i < 5000; i++) {
      metrics.count('lifeboat_job_failures_total', { kind: 'backup', code: `LB_${i}` });
      metrics.set('lifeboat_job_success_timestamp_seconds', { kind: 'backup', plan: `plan-${i}` }, i);
      metrics.observe('lifeboat_job_phase_duration_seconds', { kind: 'backup', phase: `phase-${i}` }, 1);
    }
    metrics.count('lifeboat_job_failures_total', { kind: 'backup', code: 'LB_KEY_WRONG' });
    const shown = await values(metrics);
    expect(shown).toContain('lifeboat_job_failures_total{kind="backup",code="other"} 5000');
    expect(shown).toContain('lifeboat_job_failures_total{kind="backup",code="LB_KEY_WRONG"} 1');
    expect(shown).toContain('lifeboat_job_success_timestamp_seconds{kind="backup",plan="other"} 4999');
    expect(shown.length).toBeLessThan(65 * 20);
  });

  it('are shown although what brings them up to date fails', async () => {
    const metrics = new Metrics();
    metrics.onCollect(() => Promise.reject(new Error('no')));
    metrics.onCollect(() => metrics.set('lifeboat_queue_up', {}, 1));
    expect(await values(metrics)).toContain('lifeboat_queue_up 1');
  });
});
