import { z } from 'zod';
import { parseDuration } from '../core/duration.ts';
import { cronProblem } from '../core/schedule.ts';
import { text } from './keys-schema.ts';
import { durationText } from './retention-schema.ts';

const SECOND = 1000;

/** When something happens by itself. */
export const scheduleSchema = z
  .strictObject({
    every: durationText('Every so often: `5m`, `1h`. When in that time is up to lifeboat, and the same always: so many plans are spread over it. For an exact time use `cron`.').optional(),
    cron: text('A cron expression: minute, hour, day of the month, month, day of the week.').optional(),
    timezone: text('Time zone of `cron`. Default: UTC.').optional(),
  })
  .check((context) => {
    const { every, cron, timezone } = context.value;
    const add = (path: string[], message: string, hint: string): void => {
      context.issues.push({ code: 'custom', input: context.value, path, message, params: { hint } });
    };
    if ((every === undefined) === (cron === undefined)) add([], 'needs exactly one of `every` and `cron`', 'write `every: 15m`, or `cron: 30 2 * * *`');
    if (every !== undefined && timezone !== undefined) add(['timezone'], 'is for `cron`', 'leave it out');
    // Each time has a name of its own, to the second.
    if (every !== undefined && (parseDuration(every) ?? SECOND) < SECOND) add(['every'], 'is shorter than a second', 'write `every: 15m`');
    const wrong = cron === undefined ? undefined : cronProblem(cron, timezone ?? 'UTC');
    if (wrong === undefined) return;
    if (wrong.includes('time zone')) add(['timezone'], wrong, 'names are those of the IANA: `UTC`, `America/New_York`');
    else add(['cron'], wrong, 'minute, hour, day of the month, month, day of the week: `30 2 * * 1-5`');
  });

export const objectivesSchema = z
  .strictObject({
    rpo: durationText('The most that may be lost: how old the newest safe point may ever be.').optional(),
    rto: durationText('The longest a restore may take, from nothing to a site that was checked.').optional(),
  })
  .describe('What the plan is measured by, in drills, metrics and alerts.');

const timeout = durationText('How long it may take. Default: 1m.').optional();
const checkName = text('What it is called in the report.');

const commandCheckSchema = z.strictObject({
  name: checkName,
  command: z
    .array(z.string())
    .min(1, 'needs a program')
    .describe('A program and its arguments, run with `KUBECONFIG` of the restored cluster. Passes when it ends with 0.'),
  timeout,
});

const httpCheckSchema = z.strictObject({
  name: checkName,
  http: z
    .strictObject({
      url: text('An address, or a path such as `/api/v1/namespaces/shop/services/web:80/proxy/health`, which the restored API server is asked for.'),
      status: z.int().min(100).max(599).describe('The status it must answer with. Default: any of 200 to 299.').optional(),
      contains: text('What the answer must contain.').optional(),
    })
    .describe('A request, and what must come of it.'),
  timeout,
});

export const drillSchema = z
  .strictObject({
    schedule: scheduleSchema.describe('When drills happen by themselves. Default: only on demand.').optional(),
    point: z.enum(['newest', 'random']).describe('Which safe point is restored. Default: `newest`.').optional(),
    into: text('A spare site, from `sites`. Default: a control plane that is started for the drill and thrown away.').optional(),
    assets: text(
      'Folder with `etcd`, `kube-apiserver` and `kube-controller-manager`, relative to this file. Default: `$KUBEBUILDER_ASSETS`.',
    ).optional(),
    checks: z
      .array(z.union([commandCheckSchema, httpCheckSchema]))
      .describe('What is looked at in the restored site, beside what lifeboat checks itself.')
      .optional(),
  })
  .describe('How a restore is tried: `lifeboat drill`.');

export const verifyPlanSchema = z
  .strictObject({
    schedule: scheduleSchema.describe('When it happens.'),
    sample: z.number().gt(0, 'must be above 0').max(1, 'must be at most 1').describe('The part of the data that is read each time: `0.1` reads all of it in ten turns. Default: all.').optional(),
    heal: z.boolean().describe('Whether what is damaged in one vault is healed from another. Default: true.').optional(),
  })
  .describe('Verifies the vaults by itself.');

export const maintenanceSchema = z
  .strictObject({ schedule: scheduleSchema.describe('When it happens.') })
  .describe('Removes by itself the points that no plan keeps, makes locks longer, and frees room: `lifeboat retain` and `lifeboat sweep`.');

export type ScheduleConfig = z.output<typeof scheduleSchema>;
export type DrillConfig = z.output<typeof drillSchema>;
export type DrillCheckConfig = z.output<typeof commandCheckSchema> | z.output<typeof httpCheckSchema>;
