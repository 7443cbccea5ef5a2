import { eventJobId, jobSchema } from '../../jobs/job.ts';
import type { Job } from '../../jobs/job.ts';
import { handOver } from '../outcome.ts';
import type { HandedOver } from '../outcome.ts';
import { appearedPoints } from '../point-key.ts';
import { spanned } from '../spanned.ts';
import type { ObjectsTrigger } from '../trigger.ts';

/**
 * A recovery point appeared in a vault: hands one job over for each plan of its site that keeps points there. The id comes from the point,
 * not from the event: the same point then appears in the other vaults, and that is no reason to begin again.
 */
export const replicate = spanned<ObjectsTrigger, HandedOver>('replicate', async (trigger, surroundings) => {
  const config = await surroundings.config();
  const jobs = new Map<string, Job>();
  for (const { vault, site, point } of trigger.detail.objects.flatMap((object) => appearedPoints(object, config))) {
    for (const [plan, { site: protectedSite, vaults }] of config.plans) {
      // With one vault there is nothing to bring level.
      if (protectedSite !== site || !vaults.includes(vault) || vaults.length < 2) continue;
      const id = eventJobId('replicate', plan, `${site}/${point}`);
      jobs.set(id, jobSchema.parse({ kind: 'replicate', id, plan, requestedBy: 'event', at: new Date(trigger.at).toISOString() }));
    }
  }
  if (jobs.size === 0) return { new: [], known: [], ignored: 'no recovery point of a plan with several vaults' };
  return handOver([...jobs.values()], surroundings);
});
