import { answering } from '../access/answering.ts';
import type { ReadKeyOptions } from '../access/options.ts';
import { planOf } from '../access/plans.ts';
import { unlockVaults, withVaults } from '../access/repository.ts';
import { connectChosen } from '../access/sites.ts';
import type { Surroundings } from '../access/surroundings.ts';
import type { Config } from '../config/load.ts';
import type { DrillCheckConfig } from '../config/schedule-schema.ts';
import { defaultCopies } from '../core/copies.ts';
import { parseDuration } from '../core/duration.ts';
import type { OnProgress } from '../core/progress.ts';
import { publicKeyFor } from '../keys/index.ts';
import { openReader, readKeptReports } from '../repository/index.ts';
import type { BadReport, FoundReport } from '../repository/index.ts';
import { defaultKubeconfigPaths, inClusterAccess, readKubeconfig } from '../site/kubeconfig.ts';
import type { SiteAccess } from '../site/kubeconfig.ts';
import type { CustomCheck } from './checks/run.ts';
import { drill, planDrill } from './drill.ts';
import type { DrillOptions, FinishedDrill } from './drill.ts';
import type { PointChoice } from './points.ts';
import { DRILL_REPORTS } from './report.ts';
import type { DrillReport } from './report.ts';
import type { SpareSite } from './spare-target.ts';

/** How long a check may take when it does not say: `drill.checks[].timeout`. */
const TIMEOUT_MS = 60_000;

/** What a person or a job says beside what lifeboat.yaml does. */
export interface PlanDrillOptions extends ReadKeyOptions {
  readonly plan: string;
  /** In place of `drill.point`. */
  readonly point?: PointChoice | undefined;
  /** In place of `drill.into`: a site of lifeboat.yaml. */
  readonly into?: string | undefined;
  readonly inspect?: DrillOptions['inspect'];
  readonly onProgress?: OnProgress | undefined;
}

/** A finished drill, and the public half of the key that signed its report. */
export interface PlanDrill extends FinishedDrill {
  readonly reportPublicKey: Uint8Array;
}

/** Does the drill of a plan of lifeboat.yaml. Throws as `drill`, and what opening vaults, keys and sites throws. */
export async function drillOfPlan(surroundings: Surroundings, options: PlanDrillOptions): Promise<PlanDrill> {
  return withOpened(surroundings, options, async (opened) => ({ ...(await drill(opened)), reportPublicKey: publicKeyFor(DRILL_REPORTS.purpose, opened.keys) }));
}

/** What the drill of a plan would do; nothing is written. */
export async function drillPlanOfPlan(surroundings: Surroundings, options: PlanDrillOptions): Promise<{ readonly point: DrillReport['point']; readonly rpo: DrillReport['rpo'] }> {
  return withOpened(surroundings, options, planDrill);
}

/** The reports of a plan's drills, newest first, with their signatures checked, and what is no genuine report. */
export async function drillReportsOfPlan(surroundings: Surroundings, options: ReadKeyOptions & { readonly plan: string }): Promise<{ readonly reports: readonly FoundReport<DrillReport>[]; readonly bad: readonly BadReport[] }> {
  const { plan } = await planOf(surroundings, options.plan);
  return withVaults(surroundings, { vault: plan.vaults }, async (all) => {
    const vaults = await answering(surroundings, all);
    const keys = await unlockVaults(surroundings, vaults, options, 'read');
    const { reports, bad } = await readKeptReports(DRILL_REPORTS, vaults, keys, { signal: surroundings.signal, onWarning: surroundings.warn });
    return { reports: reports.filter(({ report }) => report.plan === options.plan), bad };
  });
}

async function withOpened<T>(surroundings: Surroundings, options: PlanDrillOptions, body: (opened: DrillOptions) => Promise<T>): Promise<T> {
  const { signal, warn: onWarning } = surroundings;
  const [{ plan }, config] = await Promise.all([planOf(surroundings, options.plan), surroundings.config()]);
  return withVaults(surroundings, { vault: plan.vaults }, async (all) => {
    const vaults = await answering(surroundings, all);
    const keys = await unlockVaults(surroundings, vaults, options, 'read');
    const reader = await openReader({ vaults, keys, onWarning, signal });
    const into = await openSpare(surroundings, config, options.into ?? plan.drill?.into);
    try {
      return await body({
        plan: options.plan,
        site: plan.site,
        reader,
        keys,
        vaults,
        copies: plan.copies ?? defaultCopies(plan.vaults.length),
        objectives: { rpo: duration(plan.objectives?.rpo), rto: duration(plan.objectives?.rto) },
        point: options.point ?? plan.drill?.point,
        into,
        assets: plan.drill?.assets,
        checks: (plan.drill?.checks ?? []).map(checkOf),
        inspect: options.inspect,
        signal,
        onProgress: options.onProgress,
        onWarning,
      });
    } finally {
      await into?.connection.close();
      await reader.close();
    }
  });
}

async function openSpare(surroundings: Surroundings, config: Config, name: string | undefined): Promise<SpareSite | undefined> {
  if (name === undefined) return undefined;
  const connection = await connectChosen(surroundings, { site: name });
  const site = config.sites.get(name);
  return { name, connection, access: await accessOf(surroundings, site ?? {}) };
}

async function accessOf(surroundings: Surroundings, site: { readonly kubeconfig?: string | undefined; readonly context?: string | undefined; readonly inCluster?: boolean | undefined }): Promise<SiteAccess> {
  if (site.inCluster === true) return inClusterAccess(surroundings.env);
  return readKubeconfig(site.kubeconfig === undefined ? defaultKubeconfigPaths(surroundings.env) : [site.kubeconfig], site.context);
}

function checkOf(check: DrillCheckConfig): CustomCheck {
  const about = { name: check.name, timeoutMs: duration(check.timeout) ?? TIMEOUT_MS };
  return 'command' in check ? { ...about, command: check.command } : { ...about, ...check.http };
}

function duration(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text);
}
