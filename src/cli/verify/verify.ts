import type { Config } from '../../config/load.ts';
import { parseDuration } from '../../core/duration.ts';
import { EXIT } from '../../core/error-codes.ts';
import { isLifeboatError, LifeboatError } from '../../core/errors.ts';
import type { PublicKeys } from '../../keys/index.ts';
import type { BudgetOptions } from '../../repository/verify/budget.ts';
import type { Context } from '../context.ts';
import { loadOpenersIfAny, loadWriteKey } from '../key-files.ts';
import { unlockWith, withVaults } from '../repository.ts';
import type { ReadKeyOptions, VaultOptions } from '../command.ts';
import { isAddress } from '../vaults.ts';
import { isAbout, reportText } from './report-text.ts';

export interface VerifyOptions extends VaultOptions, ReadKeyOptions {
  readonly data?: boolean;
  /** Bytes. */
  readonly budget?: number;
  /** Above 0, at most 1. */
  readonly sample?: number;
  /** Milliseconds. */
  readonly for?: number;
  readonly heal?: boolean;
  readonly dryRun?: boolean;
}

/** `lifeboat verify`: what is lost, damaged or forged, and healing it. Exit 4 when something is, or remains. */
export async function verify(context: Context, options: VerifyOptions): Promise<number> {
  const { output, signal } = context;
  const dryRun = options.dryRun === true;
  if (dryRun && options.heal !== true) {
    throw new LifeboatError('LB_USAGE', '--dry-run is for --heal: verify itself changes nothing', { hint: 'Say `lifeboat verify --heal --dry-run`.' });
  }
  const budget = budgetOf(options);
  return withVaults(context, options, async (vaults, configs) => {
    const { verify: examine } = await import('../../repository/index.ts');
    const openers = await loadOpenersIfAny(context, options, 'read');
    const keys = openers.length === 0 ? undefined : await unlockWith(context, vaults, openers, 'read');
    const trusted = keys === undefined && options.heal === true ? await publicKeysIfAny(context) : undefined;
    const config = options.vault?.every(isAddress) === true ? undefined : await context.configIfAny();
    const startedAt = performance.now();
    const report = await examine({
      vaults,
      ...(keys !== undefined && { keys }),
      ...(trusted !== undefined && { trusted }),
      depth: options.data === true || budget !== undefined ? 'data' : 'structure',
      ...(budget !== undefined && { budget }),
      remember: true,
      ...(config !== undefined && { belongs: belongsIn(config) }),
      ...(options.heal === true && { heal: dryRun ? 'dry-run' : 'heal', locks: locksOf(config) }),
      onProgress: output.progress.report,
      onWarning: output.warn,
      signal,
    });
    const seconds = (performance.now() - startedAt) / 1000;
    // A vault that could not be opened is one that nothing can be restored from.
    const unopened = configs.map((config) => config.name).filter((name) => !vaults.some((vault) => vault.name === name));
    const healed = (report.repairs ?? []).filter(({ outcome }) => outcome === 'healed');
    const remaining = report.findings.filter((finding) => !healed.some((repair) => isAbout(repair, finding)));
    const ok = remaining.length === 0 && unopened.length === 0;
    await output.result({ ok, ...report, unopened, seconds }, () =>
      reportText({ report, unopened, seconds, remaining, dryRun }, output.style, Date.now()),
    );
    return ok ? EXIT.ok : EXIT.findings;
  });
}

/** Points are to be in the vaults of the plans of their site; those of a site that has none, in every one. */
function belongsIn(config: Config): (vault: string, site: string) => boolean {
  const plans = [...config.plans.values()];
  return (vault, site) => {
    const ofSite = plans.filter((plan) => plan.site === site);
    return ofSite.length === 0 || ofSite.some(({ vaults }) => vaults.includes(vault));
  };
}

/** How long plans lock what is in each vault, by its name: the longest counts. */
function locksOf(config: Config | undefined): ReadonlyMap<string, number> {
  const locks = new Map<string, number>();
  for (const { lock, vaults } of config?.plans.values() ?? []) {
    const ms = lock === undefined ? 0 : (parseDuration(lock) ?? 0);
    if (ms > 0) for (const vault of vaults) locks.set(vault, Math.max(ms, locks.get(vault) ?? 0));
  }
  return locks;
}

function budgetOf({ budget, sample, for: ms }: VerifyOptions): BudgetOptions | undefined {
  if (budget === undefined && sample === undefined && ms === undefined) return undefined;
  return {
    ...(budget !== undefined && { bytes: budget }),
    ...(sample !== undefined && { share: sample }),
    ...(ms !== undefined && { ms }),
  };
}

/** The write key says whose repository it is as well as any other. */
async function publicKeysIfAny(context: Context): Promise<PublicKeys | undefined> {
  if ((await context.configIfAny())?.writeKey === undefined) return undefined;
  try {
    return await loadWriteKey(context);
  } catch (error) {
    if (isLifeboatError(error, 'LB_KEY_MISSING')) return undefined;
    throw error;
  }
}
