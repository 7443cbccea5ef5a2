import { formatDuration } from '../../core/duration.ts';
import type { ObjectiveState, PlanState, PlanStates } from '../../jobs/plan-state.ts';
import type { Style } from '../style.ts';
import { formatTable } from '../text.ts';
import { verifiedText } from '../points/verified.ts';

/** How plans stand, as a table, and below it what is wrong and how the vaults are. */
export function statusText(states: PlanStates, style: Style): string {
  const now = Date.parse(states.at);
  if (states.plans.length === 0) return 'there is no plan';
  const problems = states.plans.flatMap((plan) => problemsOf(plan, now));
  const verified = states.vaults.map(({ vault, reachable, verified = {} }) => {
    const { last, full } = verified;
    return reachable ? verifiedText({ vault, ...(last !== undefined && { last }), ...(full !== undefined && { full }) }, now) : `vault ${vault} cannot be looked at`;
  });
  return [planTable(states.plans, now), ...(problems.length === 0 ? [] : ['', ...problems.map((problem) => style.yellow(problem))]), '', ...verified].join('\n');
}

function planTable(plans: readonly PlanState[], now: number): string {
  const rows = plans.map(({ plan, site, safe, copies, vaults, rpo, rto, schedules, onTime }) => {
    const backup = schedules.find(({ kind }) => kind === 'backup');
    return [
      plan,
      site,
      onTime && rto.met !== false ? 'yes' : 'no',
      rpo.seconds === undefined ? 'none' : formatDuration(rpo.seconds * 1000),
      promised(rpo),
      safe === undefined ? `0 of ${vaults.length}, ${copies} needed` : `${safe.vaults.length} of ${vaults.length}`,
      backup?.next === undefined ? '' : `in ${formatDuration(Date.parse(backup.next) - now)}`,
      rto.seconds === undefined ? '' : formatDuration(rto.seconds * 1000),
      promised(rto),
    ];
  });
  return formatTable(
    [
      { title: 'plan' },
      { title: 'site' },
      { title: 'on time' },
      { title: 'safe point', right: true },
      { title: 'rpo', right: true },
      { title: 'vaults', right: true },
      { title: 'next', right: true },
      { title: 'restored in', right: true },
      { title: 'rto', right: true },
    ],
    rows,
  );
}

function promised({ objectiveSeconds }: ObjectiveState): string {
  return objectiveSeconds === undefined ? '' : formatDuration(objectiveSeconds * 1000);
}

function problemsOf({ plan, rpo, rto, schedules, drill, problem }: PlanState, now: number): string[] {
  const found: string[] = [];
  if (problem !== undefined) found.push(`${plan}: ${problem}`);
  if (rpo.met === false) found.push(`${plan}: ${rpo.seconds === undefined ? 'there is no safe point' : `the newest safe point is older than promised, ${formatDuration(rpo.seconds * 1000)}`}`);
  if (rto.met === false) found.push(`${plan}: the last drill ${rto.seconds === undefined ? 'did not restore it' : 'took longer than promised'}`);
  if (drill?.ok === false) found.push(`${plan}: the last drill did not pass`);
  for (const { kind, slot, met } of schedules) {
    if (met === false && slot !== undefined) found.push(`${plan}: the ${kind} that was due ${formatDuration(now - Date.parse(slot))} ago did not happen`);
  }
  return found;
}
