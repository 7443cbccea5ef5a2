import { z } from 'zod';
import { parseDuration } from '../core/duration.ts';
import { failureDomainSchema, LEVELS } from '../core/failure-domain.ts';
import { vaultConfigSchema } from '../vault/config.ts';
import { keysSchema, text } from './keys-schema.ts';
import { durationText, retentionSchema } from './retention-schema.ts';
import { drillSchema, maintenanceSchema, objectivesSchema, scheduleSchema, verifyPlanSchema } from './schedule-schema.ts';
import { notifySchema, queueSchema, serverSchema } from './service-schema.ts';

/** What a site, vault or plan may be called: the name becomes part of object keys, so it must be the same in every store. */
export const NAME_PATTERN = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A map from names to `value`. The names are checked by `checkReferences`, so that a bad name does not hide mistakes below it. */
function named<T extends z.ZodType>(value: T, description: string): z.ZodRecord<z.ZodString, T> {
  return z.record(z.string(), value).meta({ description, propertyNames: { pattern: NAME_PATTERN.source } });
}

const listOf = (description: string) => z.array(z.string().min(1, 'must not be empty')).describe(description).optional();

const siteSchema = z
  .strictObject({
    kubeconfig: text(
      'Path of a kubeconfig file, relative to this file. Default: `$KUBECONFIG`, else `~/.kube/config`.',
    ).optional(),
    context: text('Context of the kubeconfig. Default: its current context.').optional(),
    inCluster: z
      .boolean()
      .describe('Use the service account of the pod lifeboat runs in, instead of a kubeconfig.')
      .optional(),
    domain: failureDomainSchema.optional(),
  })
  .refine((site) => site.inCluster !== true || (site.kubeconfig === undefined && site.context === undefined), {
    error: '`inCluster: true` cannot be combined with `kubeconfig` or `context`',
    params: { hint: 'keep one of the two' },
  })
  .describe('A Kubernetes cluster and how to reach it.');

const controlSchema = z
  .strictObject({ domain: failureDomainSchema })
  .describe('The machine that runs restores: `lifeboat placement` looks whether it is lost together with the site.');

const selectSchema = z
  .strictObject({
    namespaces: listOf('Only these namespaces: exact names, or with `*`.'),
    excludeNamespaces: listOf('Not these namespaces; wins over `namespaces`.'),
    types: listOf('Only these types: `deployments.apps`, `configmaps`, a Kind, or with `*` (`*.cert-manager.io`).'),
    excludeTypes: listOf('Not these types; wins over `types`.'),
    labels: text('Only objects that match this Kubernetes label selector: `app=shop,tier!=cache`.').optional(),
    clusterScoped: z
      .boolean()
      .describe(
        'Whether cluster-scoped objects are included. Default: true, unless `namespaces` or `labels` restrict the selection.',
      )
      .optional(),
  })
  .describe('Which objects. Without it: everything.');

const slowVaultsSchema = z
  .strictObject({
    memoryMiB: z
      .int()
      .min(1, 'must be at least 1')
      .describe('How much of a backup may wait in memory for vaults that are slower than the others, in MiB. Default: 128.')
      .optional(),
    patience: z
      .string()
      .refine((value) => parseDuration(value) !== undefined, 'is not a duration such as `30s`, `10m` or `1h30m`')
      .describe(
        'How long a vault may take, once the point is safe without it, to get all of it as well: `30s`, `10m`. Default: a tenth of the time the backup took, and at least 5 s.',
      )
      .optional(),
  })
  .describe('How vaults are treated that are slower than the others.');

const planSchema = z
  .strictObject({
    site: text('The site to protect: a name from `sites`.'),
    vaults: z
      .array(z.string().min(1, 'must not be empty'))
      .min(1, 'needs at least one vault')
      .describe('The vaults every recovery point is written to: names from `vaults`.'),
    copies: z
      .int()
      .min(1, 'must be at least 1')
      .describe('How many of the vaults must hold a recovery point for it to count as safe. Default: a majority of them.')
      .optional(),
    outlives: z
      .enum(LEVELS)
      .describe(
        'The promise of the plan: any one failure domain of this level, and of those before it in `zone`, `region`, `account`, `cloud`, may be lost with everything in it, and a safe point can still be restored. `backup` refuses a plan that does not keep it.',
      )
      .optional(),
    schedule: scheduleSchema.describe('When backups happen by themselves. Default: only on demand.').optional(),
    objectives: objectivesSchema.optional(),
    drill: drillSchema.optional(),
    verify: verifyPlanSchema.optional(),
    slowVaults: slowVaultsSchema.optional(),
    retention: retentionSchema.optional(),
    lock: durationText(
      'Lock what a backup stores for so long: nobody can delete or change it before, and `lifeboat retain` makes the locks of what is still needed longer. For vaults with `lock: true`; the others are as they were.',
    ).optional(),
    select: selectSchema.optional(),
  })
  .describe('What is protected, and where to.');

/** The whole of lifeboat.yaml. The descriptions here are what editors show and what docs/configuration.md carries. */
export const configSchema = z
  .strictObject({
    version: z.literal(1).describe('Version of this file’s layout. Always 1.'),
    sites: named(siteSchema, 'The clusters, by name.'),
    vaults: named(vaultConfigSchema, 'The places recovery points are kept in, by name.'),
    keys: keysSchema.optional(),
    control: controlSchema.optional(),
    plans: named(planSchema, 'What is protected, by name.'),
    maintenance: maintenanceSchema.optional(),
    queue: queueSchema.optional(),
    server: serverSchema.optional(),
    notify: notifySchema.optional(),
  })
  .describe('Configuration of lifeboat: which clusters are protected, and where their recovery points are kept.');

/** lifeboat.yaml as written, checked, but with paths as they stand in it. */
export type RawConfig = z.output<typeof configSchema>;
export type SiteConfig = z.output<typeof siteSchema>;
export type ControlConfig = z.output<typeof controlSchema>;
export type SelectConfig = z.output<typeof selectSchema>;
export type PlanConfig = z.output<typeof planSchema>;
