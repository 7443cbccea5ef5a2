import { isLifeboatError, LifeboatError, messageOf } from '../../core/errors.ts';
import type { OnProgress } from '../../core/progress.ts';
import type { PublicKeys } from '../../keys/index.ts';
import { withSilenceLimit } from '../../vault/silence.ts';
import type { Vault } from '../../vault/vault.ts';
import { genuineView } from '../originals.ts';
import { Health } from './health.ts';
import { readRemovals, takeInventory } from './inventory.ts';
import type { Inventory } from './inventory.ts';
import { Leveller } from './level.ts';
import type { Copied, Shared } from './level.ts';
import { findParticipants } from './participants.ts';
import { planAll } from './plan.ts';
import type { TargetPlan } from './plan.ts';
import { Problems } from './problems.ts';
import type { ReplicateProblem } from './problems.ts';

/** A vault that gives no answer for so long is taken for gone, ms. */
const SILENCE = 180_000;

/** What bringing vaults level takes. */
export interface ReplicateOptions {
  /** The vaults of one repository; new, empty ones may be among them. */
  readonly vaults: readonly Vault[];
  /** Names of those that are copied from, best first. Default: all. */
  readonly from?: readonly string[];
  /** Names of those that are copied to. Default: all. */
  readonly to?: readonly string[];
  /** Only points of these sites. Default: of all. */
  readonly sites?: readonly string[];
  /** A key of the repository, where one is at hand: it tells the right repository from an imitation. None is needed. */
  readonly keys?: PublicKeys | undefined;
  /** Only find out what would be copied. */
  readonly dryRun?: boolean;
  readonly silence?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** What a vault lacked, and what it was given. */
export interface LevelledVault {
  readonly name: string;
  /** `level`: it has every point that any vault has, and all they need. `behind`: it has not. `failed`: it could not be used. */
  readonly state: 'level' | 'behind' | 'failed';
  readonly lacked: { readonly points: number; readonly packs: number; readonly bytes: number };
  readonly copied: Copied;
  /** Why it failed. */
  readonly failure?: { readonly code: string; readonly message: string };
}

export interface ReplicateReport {
  readonly repository: string;
  readonly vaults: readonly LevelledVault[];
  /** What is damaged, forged or lost in any of the vaults, as far as it was met. */
  readonly problems: readonly ReplicateProblem[];
  /** Problems beyond those in the list. */
  readonly moreProblems: number;
}

const NOTHING: Copied = { points: 0, packs: 0, objects: 0, bytes: 0 };

/**
 * Brings vaults level: copies to each what the others have and it lacks, as it is, newest points first; needs no key.
 * What is copied is what lifeboat stored, whatever was put over it where first versions are kept. Nothing that does not match its name or its signature is copied; nothing that was removed is copied back; what no point needs is
 * left. May be stopped at any moment, and run at any time, also twice at once. Throws `LB_REPO_FORGED` when the vaults hold
 * different repositories, `LB_REPO_MISSING` when none holds one, `LB_USAGE`, or a vault's error when too few can be used.
 */
export async function replicate(options: ReplicateOptions): Promise<ReplicateReport> {
  const { signal, keys, silence = SILENCE } = options;
  const vaults = options.vaults.map((vault) => genuineView(withSilenceLimit(vault, silence)));
  const participants = await findParticipants(vaults, keys, signal);
  const failures = new Map(participants.failed);
  const inventories = await takeInventories(participants.vaults, failures, signal);
  const sources = chosen(inventories, options.from);
  const targets = chosen(inventories, options.to).filter((target) => sources.some((source) => source !== target));
  if (targets.length === 0) throw nothingToDo(vaults, failures);
  const problems = new Problems();
  const removals = await readRemovals(inventories, participants.header, { signal, onProblem: (vault, key, error) => problems.add(vault, key, error) });
  const plans = await planAll({
    keys: participants.header,
    sources,
    targets,
    removals,
    sites: options.sites && new Set(options.sites),
    problems,
    signal,
    onPoint: (done, total) => options.onProgress?.({ phase: 'compare', done, total, unit: 'points' }),
  });
  const progress = bytesTold(plans, options.onProgress);
  const shared: Shared = { participants, removals, problems, health: new Health(), signal, onBytes: progress };
  const levelled = options.dryRun === true ? plans.map((plan) => looked(plan, shared)) : await Promise.all(plans.map((plan) => level(plan, shared)));
  signal?.throwIfAborted();
  return {
    repository: participants.header.repositoryId,
    vaults: inOrder(vaults, options, levelled, failures),
    problems: problems.list,
    moreProblems: problems.more,
  };
}

async function takeInventories(vaults: readonly Vault[], failures: Map<Vault, unknown>, signal: AbortSignal | undefined): Promise<Inventory[]> {
  const results = await Promise.allSettled(vaults.map((vault) => takeInventory(vault, signal)));
  signal?.throwIfAborted();
  const taken: Inventory[] = [];
  for (const [i, vault] of vaults.entries()) {
    const result = results[i];
    if (result?.status === 'fulfilled') taken.push(result.value);
    else failures.set(vault, result?.reason);
  }
  return taken;
}

/** Those with these names, in the order of the names; all when none are given. */
function chosen(inventories: readonly Inventory[], names: readonly string[] | undefined): readonly Inventory[] {
  if (names === undefined) return inventories;
  return names.flatMap((name) => inventories.filter(({ vault }) => vault.name === name));
}

async function level(plan: TargetPlan, shared: Shared): Promise<LevelledVault> {
  const leveller = new Leveller(plan, shared);
  try {
    const complete = await leveller.run();
    return { ...about(plan), state: complete ? 'level' : 'behind', copied: leveller.copied };
  } catch (error) {
    shared.signal?.throwIfAborted();
    return { ...about(plan), state: 'failed', copied: leveller.copied, failure: failureOf(error) };
  }
}

/** What would be copied: nothing is. */
function looked(plan: TargetPlan, { participants }: Shared): LevelledVault {
  const { lacked, name } = about(plan);
  const level = lacked.points + lacked.packs + plan.slots.length === 0 && !participants.bare.has(plan.target.vault);
  return { name, lacked, state: level ? 'level' : 'behind', copied: NOTHING };
}

function about(plan: TargetPlan): Pick<LevelledVault, 'name' | 'lacked'> {
  const points = plan.points.filter(({ wanted }) => wanted).length;
  return { name: plan.target.vault.name, lacked: { points, packs: plan.packs.length + plan.unobtainable.size, bytes: plan.bytes } };
}

function failureOf(error: unknown): { readonly code: string; readonly message: string } {
  return { code: isLifeboatError(error) ? error.code : 'LB_INTERNAL', message: messageOf(error) };
}

/** Every vault that was to be brought level, in the order they were given, and those that could not be read either way. */
function inOrder(
  vaults: readonly Vault[],
  { to }: ReplicateOptions,
  levelled: readonly LevelledVault[],
  failures: ReadonlyMap<Vault, unknown>,
): readonly LevelledVault[] {
  return vaults.flatMap((vault): LevelledVault[] => {
    const found = levelled.find(({ name }) => name === vault.name);
    if (found !== undefined) return [found];
    const error = failures.get(vault);
    if (error === undefined || to?.includes(vault.name) === false) return [];
    return [{ name: vault.name, state: 'failed', lacked: { points: 0, packs: 0, bytes: 0 }, copied: NOTHING, failure: failureOf(error) }];
  });
}

function bytesTold(plans: readonly TargetPlan[], onProgress: OnProgress | undefined): (bytes: number) => void {
  const total = plans.reduce((sum, plan) => sum + plan.bytes, 0);
  let done = 0;
  if (total > 0) onProgress?.({ phase: 'replicate', done, total, unit: 'bytes' });
  return (bytes) => {
    done += bytes;
    onProgress?.({ phase: 'replicate', done, total, unit: 'bytes' });
  };
}

function nothingToDo(vaults: readonly Vault[], failures: ReadonlyMap<Vault, unknown>): Error {
  const [failure] = failures.values();
  if (failure instanceof Error) return failure;
  return new LifeboatError('LB_USAGE', `There is nothing to replicate between: ${vaults.map(({ name }) => name).join(', ')}`, {
    hint: 'Name a vault to copy from and another one to copy to.',
  });
}
