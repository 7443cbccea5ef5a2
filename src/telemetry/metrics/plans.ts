import type { Metrics } from './metrics.ts';
import type { NamesOf } from './definitions.ts';

/** How a plan stands, as metrics tell it. Times are milliseconds since 1970, durations milliseconds. */
export interface PlanGauges {
  readonly plan: string;
  readonly safePointAt: number | undefined;
  readonly vaults: readonly { readonly vault: string; readonly pointAt: number | undefined }[];
  readonly rpo: { readonly objective: number | undefined; readonly met: boolean | undefined };
  readonly rto: { readonly objective: number | undefined; readonly measured: number | undefined; readonly met: boolean | undefined };
  readonly schedules: readonly { readonly kind: string; readonly slot: number | undefined; readonly next: number | undefined; readonly met: boolean | undefined }[];
  readonly drill: { readonly at: number; readonly ok: boolean } | undefined;
}

/** How a vault stands. */
export interface VaultGauges {
  readonly vault: string;
  readonly reachable: boolean;
  readonly verifiedAt: number | undefined;
  readonly fullyVerifiedAt: number | undefined;
  readonly findings: number | undefined;
}

const OF_PLANS = [
  'lifeboat_safe_point_age_seconds',
  'lifeboat_safe_point_timestamp_seconds',
  'lifeboat_vault_point_age_seconds',
  'lifeboat_vault_point_timestamp_seconds',
  'lifeboat_rpo_objective_seconds',
  'lifeboat_rto_objective_seconds',
  'lifeboat_rto_measured_seconds',
  'lifeboat_objective_met',
  'lifeboat_schedule_slot_timestamp_seconds',
  'lifeboat_schedule_next_timestamp_seconds',
  'lifeboat_schedule_missed',
  'lifeboat_vault_reachable',
  'lifeboat_vault_verified_timestamp_seconds',
  'lifeboat_vault_fully_verified_timestamp_seconds',
  'lifeboat_vault_verify_findings',
  'lifeboat_drill_timestamp_seconds',
  'lifeboat_drill_ok',
] as const satisfies readonly NamesOf<'gauge'>[];

/** Shows how plans and vaults stand, as read at `readAt`; ages are as of `now`. Those that were there before and are no more are forgotten. */
export function showPlans(metrics: Metrics, plans: readonly PlanGauges[], vaults: readonly VaultGauges[], { readAt, now }: { readonly readAt: number; readonly now: number }): void {
  for (const name of OF_PLANS) metrics.clear(name);
  for (const one of plans) showPlan(metrics, one, now);
  for (const { vault, reachable, verifiedAt, fullyVerifiedAt, findings } of vaults) {
    metrics.set('lifeboat_vault_reachable', { vault }, bit(reachable));
    metrics.set('lifeboat_vault_verified_timestamp_seconds', { vault }, seconds(verifiedAt));
    metrics.set('lifeboat_vault_fully_verified_timestamp_seconds', { vault }, seconds(fullyVerifiedAt));
    metrics.set('lifeboat_vault_verify_findings', { vault }, findings);
  }
  metrics.set('lifeboat_plans_read_timestamp_seconds', {}, seconds(readAt));
}

function showPlan(metrics: Metrics, { plan, safePointAt, vaults, rpo, rto, schedules, drill }: PlanGauges, now: number): void {
  metrics.set('lifeboat_safe_point_age_seconds', { plan }, age(safePointAt, now));
  metrics.set('lifeboat_safe_point_timestamp_seconds', { plan }, seconds(safePointAt));
  for (const { vault, pointAt } of vaults) {
    metrics.set('lifeboat_vault_point_age_seconds', { plan, vault }, age(pointAt, now));
    metrics.set('lifeboat_vault_point_timestamp_seconds', { plan, vault }, seconds(pointAt));
  }
  metrics.set('lifeboat_rpo_objective_seconds', { plan }, seconds(rpo.objective));
  metrics.set('lifeboat_rto_objective_seconds', { plan }, seconds(rto.objective));
  metrics.set('lifeboat_rto_measured_seconds', { plan }, seconds(rto.measured));
  metrics.set('lifeboat_objective_met', { plan, objective: 'rpo' }, bit(rpo.met));
  metrics.set('lifeboat_objective_met', { plan, objective: 'rto' }, bit(rto.met));
  for (const { kind, slot, next, met } of schedules) {
    metrics.set('lifeboat_schedule_slot_timestamp_seconds', { plan, kind }, seconds(slot));
    metrics.set('lifeboat_schedule_next_timestamp_seconds', { plan, kind }, seconds(next));
    metrics.set('lifeboat_schedule_missed', { plan, kind }, met === undefined ? undefined : bit(!met));
  }
  metrics.set('lifeboat_drill_timestamp_seconds', { plan }, seconds(drill?.at));
  metrics.set('lifeboat_drill_ok', { plan }, bit(drill?.ok));
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

function age(at: number | undefined, now: number): number | undefined {
  return at === undefined ? undefined : Math.max(0, (now - at) / 1000);
}

function bit(is: boolean | undefined): number | undefined {
  return is === undefined ? undefined : is ? 1 : 0;
}
