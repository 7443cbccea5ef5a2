import { randomBytes } from 'node:crypto';
import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { isAbort, isLifeboatError } from '../core/errors.ts';
import type { LifeboatError } from '../core/errors.ts';
import type { OnProgress, OnWarning, Warning } from '../core/progress.ts';
import type { ReadKey } from '../keys/index.ts';
import { preparePlan } from '../pipeline/restore/build-plan.ts';
import type { PreparedPlan } from '../pipeline/restore/build-plan.ts';
import type { RestoreReport } from '../pipeline/restore/report.ts';
import { restore } from '../pipeline/restore/restore.ts';
import { pointSource } from '../pipeline/sources.ts';
import type { PointListing, RepositoryReader } from '../repository/api.ts';
import { keepReport, readKeptReports, signReport } from '../repository/index.ts';
import { identifySite } from '../site/revision.ts';
import type { StateSource } from '../site/types.ts';
import type { Vault } from '../vault/vault.ts';
import { Inventory } from './checks/inventory.ts';
import { aggregatedGroups, NEEDED_TYPES } from './checks/references.ts';
import { runChecks } from './checks/run.ts';
import type { CustomCheck } from './checks/run.ts';
import { measureRpo } from './measures/rpo.ts';
import { measureRto, Phases } from './measures/rto.ts';
import { notChecked } from './not-checked.ts';
import { ownTarget } from './own-target.ts';
import { choosePoint, datedPoints, readSitePoints, wholeIn } from './points.ts';
import type { PointChoice, SitePoints } from './points.ts';
import { DRILL_REPORTS } from './report.ts';
import type { CheckResult, DrillReport } from './report.ts';
import { spareTarget } from './spare-target.ts';
import type { SpareSite } from './spare-target.ts';
import type { DrillTarget } from './target.ts';

/** What a drill is of, and how it is done. What is opened here stays the caller's to close. */
export interface DrillOptions {
  /** Name of the plan, and of the site it protects. */
  readonly plan: string;
  readonly site: string;
  /** The repository, opened with the read key. */
  readonly reader: RepositoryReader;
  readonly keys: ReadKey;
  /** The vaults of the plan that can be reached: in them points are looked for and the report is kept. */
  readonly vaults: readonly Vault[];
  /** In how many of the plan's vaults a point must be whole to be safe. */
  readonly copies: number;
  /** Milliseconds. */
  readonly objectives?: { readonly rpo?: number | undefined; readonly rto?: number | undefined } | undefined;
  /** Default: the newest safe one. */
  readonly point?: PointChoice | undefined;
  /** Default: a control plane that is started for the drill. */
  readonly into?: SpareSite | undefined;
  /** Folder of the control plane's programs. Default: `KUBEBUILDER_ASSETS`. */
  readonly assets?: string | undefined;
  /** In it the drill makes its own folder. Default: the system's for temporary files. */
  readonly folder?: string | undefined;
  readonly checks?: readonly CustomCheck[] | undefined;
  /** Is given the cluster when everything else is done; it is thrown away when this resolves. */
  readonly inspect?: ((cluster: { readonly name: string; readonly server: string; readonly kubeconfig: string | undefined }, drill: FinishedDrill) => Promise<void>) | undefined;
  readonly random?: (() => number) | undefined;
  readonly clock?: Clock | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly onWarning?: OnWarning | undefined;
}

/** A drill that came to its end, whatever it showed. */
export interface FinishedDrill {
  /** Name of the report in the vaults: `reports/drill/<id>`. */
  readonly id: string;
  readonly report: DrillReport;
  /** The signed report, as it is in the vaults. */
  readonly signed: Uint8Array;
  /** Vaults that took it. */
  readonly vaults: readonly string[];
}

/** Named checks and references, for progress. */
const CHECKS = 10;

/**
 * Restores a safe point as a real restore would, into a cluster that is thrown away, checks and measures what came of it, and keeps a
 * signed report in every vault. What is wrong with the point or the cluster it makes is in the report, also when it ends the restore;
 * thrown is what keeps a drill from being one: `LB_DRILL_NO_POINT`, `LB_POINT_NOT_FOUND`, `LB_DRILL_ASSETS`, `LB_DRILL_CLUSTER`,
 * `LB_DRILL_SITE_USED`, `LB_RESTORE_INTO_SOURCE`, vaults and sites that cannot be reached, the signal's reason. In every case nothing is left of the
 * cluster, or of what was created in a spare site.
 */
export async function drill(options: DrillOptions): Promise<FinishedDrill> {
  return new Drill(options).run();
}

/** What a drill would do: nothing is started and nothing written. Throws as `drill`, as far as it goes. */
export async function planDrill(options: DrillOptions): Promise<{ readonly point: DrillReport['point']; readonly rpo: DrillReport['rpo'] }> {
  return new Drill(options).look();
}

class Drill {
  readonly #options: DrillOptions;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #phases = new Phases();
  readonly #warnings: Warning[] = [];
  readonly #mark = randomBytes(6).toString('hex');

  constructor(options: DrillOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#startedAt = this.#clock.now();
  }

  async look(): Promise<{ readonly point: DrillReport['point']; readonly rpo: DrillReport['rpo'] }> {
    const points = await this.#points();
    const chosen = this.#choose(points);
    return { point: this.#aboutPoint(chosen, points), rpo: await this.#measureRpo(points) };
  }

  async run(): Promise<FinishedDrill> {
    const { signal, inspect } = this.#options;
    const points = await this.#phases.time('choose', () => this.#points());
    const chosen = this.#choose(points);
    const rpo = await this.#measureRpo(points);
    const target = await this.#phases.time('start', () => this.#open());
    try {
      const { kubernetesVersion } = await identifySite(target.connection, signal);
      const outcome = await this.#restoreAndCheck(chosen, target);
      // A cluster that is looked at afterwards is still there when the report is written.
      const removed = inspect === undefined && (await this.#clear(target));
      const report = this.#report({ chosen, points, rpo, target, kubernetesVersion, removed, outcome });
      const finished = await this.#keep(report);
      if (inspect !== undefined) {
        await inspect({ name: target.name, server: target.connection.server, kubeconfig: target.kubeconfig }, finished);
        await this.#clear(target);
      }
      return finished;
    } catch (error) {
      await this.#clear(target);
      throw error;
    } finally {
      await target.close();
    }
  }

  #points(): Promise<SitePoints> {
    const { reader, site, vaults, copies, signal } = this.#options;
    return readSitePoints(reader, site, vaults.map(({ name }) => name), copies, signal);
  }

  #choose(points: SitePoints): PointListing {
    const { point = 'newest', site, random } = this.#options;
    return choosePoint(points, point, site, random);
  }

  /** The age of the newest safe point since the drill before. */
  async #measureRpo(points: SitePoints): Promise<DrillReport['rpo']> {
    const { vaults, keys, plan, site, objectives, signal } = this.#options;
    const dated = datedPoints(points);
    const { reports, bad } = await readKeptReports(DRILL_REPORTS, vaults, keys, { signal, onWarning: this.#warn, limit: 200 });
    for (const { id, vault, problem } of bad) this.#warn({ kind: 'report-ignored', message: `A report of a drill counts for nothing: ${problem}`, where: `vault "${vault}", reports/drill/${id}` });
    const before = reports.find(({ report }) => report.plan === plan && report.site === site && Date.parse(report.startedAt) < this.#startedAt);
    const first = dated[0]?.committedAt ?? this.#startedAt;
    const from = before === undefined ? first : Date.parse(before.report.startedAt);
    return measureRpo(dated, Math.min(from, this.#startedAt), this.#startedAt, objectives?.rpo);
  }

  #open(): Promise<DrillTarget> {
    const { into, assets, folder, signal } = this.#options;
    this.#progress('start', 0, 1);
    const opened = into === undefined ? ownTarget({ assets, folder, signal }, this.#mark) : spareTarget(into, this.#mark, { folder, signal, onWarning: this.#warn });
    return opened.then((target) => {
      this.#progress('start', 1, 1);
      return target;
    });
  }

  async #restoreAndCheck(chosen: PointListing, target: DrillTarget): Promise<Outcome> {
    const outcome: Outcome = { checks: [] };
    try {
      await this.#tryRestore(chosen, target, outcome);
    } catch (error) {
      if (!isLifeboatError(error) || isAbort(error) || this.#options.signal?.aborted === true || error.retriable || NO_DRILL.has(error.code)) throw error;
      outcome.failure = { phase: this.#phases.current, code: error.code, message: withWhere(error) };
    }
    return outcome;
  }

  async #tryRestore(chosen: PointListing, target: DrillTarget, outcome: Outcome): Promise<void> {
    const { reader, site, signal, onProgress, checks = [] } = this.#options;
    const onWarning = this.#warn;
    const source = await this.#phases.time('open', async () => pointSource(await reader.open(chosen.id, { site, signal, onWarning }), { onWarning }));
    const options = await target.options(source);
    const request = { source, target: target.connection, options: { patienceMs: PATIENCE_MS, ...options }, drill: target.drill, signal, onProgress };
    const { prepared, report } = await this.#phases.time('restore', async () => {
      const made = await preparePlan(request);
      target.check(made);
      return { prepared: made, report: await restore(request, made) };
    });
    this.#phases.restored(report);
    for (const warning of report.warnings) this.#warn(warning);
    outcome.restored = { prepared, report };
    outcome.checks = await this.#phases.time('checks', async () => this.#check(source, target, { prepared, report }, checks));
    outcome.checked = true;
  }

  async #check(source: StateSource, target: DrillTarget, { prepared, report }: Restored, custom: readonly CustomCheck[]): Promise<CheckResult[]> {
    const { signal, site } = this.#options;
    const { connection } = target;
    const inventory = await Inventory.read(connection, NEEDED_TYPES, [source.summary.selection, prepared.plan.options.selection], signal);
    const aggregated = await aggregatedGroups(source, signal);
    const context = { source, plan: prepared.plan, report, target: connection, inventory, drill: target.drill, aggregated, signal };
    const total = CHECKS + custom.length;
    const env = { LIFEBOAT_DRILL_SITE: site, LIFEBOAT_DRILL_POINT: source.label.replace(/^point /, '') };
    const results = await runChecks(context, custom, { folder: target.folder, kubeconfig: target.kubeconfig, env, secrets: target.secrets, podsRun: false }, (done, detail) => this.#progress('checks', done, total, detail));
    this.#progress('checks', total, total);
    return results;
  }

  #report(parts: ReportParts): DrillReport {
    const { plan, site, keys, objectives } = this.#options;
    const { chosen, points, rpo, target, kubernetesVersion, removed, outcome } = parts;
    const { restored, failure, checks, checked = false } = outcome;
    const rto = measureRto(this.#phases.times, checked, objectives?.rto);
    const passed = failure === undefined && checks.every((check) => check.outcome !== 'failed');
    return {
      repository: keys.repositoryId,
      plan,
      site,
      startedAt: new Date(this.#startedAt).toISOString(),
      at: new Date(this.#clock.now()).toISOString(),
      ok: passed && rto.verdict !== 'missed' && rpo.verdict !== 'missed',
      point: this.#aboutPoint(chosen, points),
      cluster: { kind: target.kind, name: target.name, kubernetesVersion, notRun: [...target.notRun], removed },
      ...(restored !== undefined && { restore: { plan: restored.report.plan, outcomes: { ...restored.report.objects }, rules: countRules(restored.prepared) } }),
      ...(failure !== undefined && { failure }),
      checks: [...checks],
      notChecked: [...notChecked(target.kind, target.notRun, points), ...target.notChecked],
      rto,
      rpo,
      warnings: this.#warnings.map(({ kind, message, where }) => ({ kind, message, ...(where !== undefined && { where }) })),
    };
  }

  #aboutPoint(chosen: PointListing, points: SitePoints): DrillReport['point'] {
    const { point = 'newest', vaults, copies } = this.#options;
    return {
      id: chosen.id,
      at: chosen.header?.at ?? '',
      committedAt: chosen.header?.committedAt ?? '',
      chosen: typeof point === 'object' ? 'named' : point,
      safe: points.safe.includes(chosen),
      complete: chosen.header?.complete === true,
      vaults: [...wholeIn(chosen, vaults.map(({ name }) => name))],
      copies,
    };
  }

  async #keep(report: DrillReport): Promise<FinishedDrill> {
    const { keys, vaults, signal } = this.#options;
    const { id, bytes } = signReport(DRILL_REPORTS, report, keys);
    const kept = await keepReport(DRILL_REPORTS, { id, bytes }, vaults, { signal, onWarning: this.#options.onWarning });
    return { id, report, signed: bytes, vaults: kept };
  }

  async #clear(target: DrillTarget): Promise<boolean> {
    try {
      return await target.remove(this.#warn);
    } catch (error) {
      if (!isLifeboatError(error)) throw error;
      this.#warn({ kind: 'drill-left', message: `What the drill created could not be removed: ${error.message}. The next drill removes it`, where: target.name });
      return false;
    }
  }

  readonly #warn = (warning: Warning): void => {
    if (this.#warnings.length < MOST_WARNINGS) this.#warnings.push(warning);
    this.#options.onWarning?.(warning);
  };

  #progress(phase: string, done: number, total: number, detail?: string): void {
    this.#options.onProgress?.({ phase, done, total, unit: 'steps', ...(detail !== undefined && { detail }) });
  }
}

interface Restored {
  readonly prepared: PreparedPlan;
  readonly report: RestoreReport;
}

interface Outcome {
  restored?: Restored;
  checks: readonly CheckResult[];
  checked?: boolean;
  failure?: NonNullable<DrillReport['failure']>;
}

interface ReportParts {
  readonly chosen: PointListing;
  readonly points: SitePoints;
  readonly rpo: DrillReport['rpo'];
  readonly target: DrillTarget;
  readonly kubernetesVersion: string;
  readonly removed: boolean;
  readonly outcome: Outcome;
}

/** Nobody waits for a drill's cluster to mend itself: nothing runs in it. */
const PATIENCE_MS = 20_000;
const MOST_WARNINGS = 200;
/** Errors that say that this was no drill, not that the point does not restore; with those that pass. */
const NO_DRILL: ReadonlySet<string> = new Set(['LB_DRILL_SITE_USED', 'LB_DRILL_CLUSTER', 'LB_RESTORE_INTO_SOURCE', 'LB_INTERRUPTED', 'LB_INTERNAL', 'LB_USAGE', 'LB_SITE_ACCESS', 'LB_KEY_MISSING']);

function withWhere(error: LifeboatError): string {
  return error.where === undefined ? error.message : `${error.message} (${error.where})`;
}

function countRules({ plan }: PreparedPlan): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { rules = [] } of plan.entries) for (const rule of rules) counts[rule] = (counts[rule] ?? 0) + 1;
  return counts;
}
