import { parseDuration } from '../core/duration.ts';
import { messageOf } from '../core/errors.ts';
import { slotAfter } from '../core/schedule.ts';
import { scheduleOf } from '../jobs/due.ts';
import { copiesOf } from '../placement/copies.ts';
import type { PlanOverview } from './documents.ts';
import type { AppParts } from './parts.ts';

/** Every plan: what it promises, when it is due, and how old its newest safe point is. One whose vaults do not answer says so. */
export async function planOverviews({ clock, config, points, redact }: AppParts, signal: AbortSignal): Promise<readonly PlanOverview[]> {
  const now = clock.now();
  return Promise.all(
    [...config.plans].map(async ([name, plan]): Promise<PlanOverview> => {
      const { objectives, schedule, site, vaults } = plan;
      const next = schedule === undefined ? undefined : slotAfter(scheduleOf(schedule, `backup.${name}`), now);
      return {
        name,
        site,
        vaults,
        copies: copiesOf(plan),
        ...(schedule !== undefined && { schedule }),
        ...(next !== undefined && { nextBackup: new Date(next).toISOString() }),
        ...(objectives !== undefined && { objectives }),
        ...(await newestSafe(name)),
      };

      async function newestSafe(planName: string): Promise<Pick<PlanOverview, 'newestSafePoint' | 'problem' | 'rpoMet'>> {
        const rpo = objectives?.rpo === undefined ? undefined : parseDuration(objectives.rpo);
        try {
          const found = (await points.ofPlan(planName, signal)).find(({ at, safe }) => safe && at !== undefined);
          if (found?.at === undefined) return rpo === undefined ? {} : { rpoMet: false };
          const age = Math.max(0, now - Date.parse(found.at));
          return { newestSafePoint: { id: found.id, at: found.at, ageSeconds: age / 1000 }, ...(rpo !== undefined && { rpoMet: age <= rpo }) };
        } catch (error) {
          return { problem: redact(messageOf(error)) };
        }
      }
    }),
  );
}
