import type { Config } from '../../config/load.ts';
import type { PlanConfig } from '../../config/schema.ts';
import { messageOf } from '../../core/errors.ts';
import type { PlacedPlan } from '../../placement/from-config.ts';
import { slotFindings } from '../../placement/slots.ts';
import type { SlotFinding } from '../../placement/slots.ts';
import type { Assessment } from '../../placement/survival.ts';
import type { PublicKeys } from '../../keys/index.ts';
import type { PointHeader } from '../../repository/api.ts';
import type { SlotListing } from '../../repository/index.ts';
import { HEADER_KEY } from '../../repository/layout.ts';
import type { Vault } from '../../vault/vault.ts';
import type { Context } from '../context.ts';
import { loadWriteKey } from '../../access/key-files.ts';

/** A vault that does not answer must not keep the rest from being shown, ms. */
const PATIENCE = 15_000;

/** What is in the vaults of a plan. */
export interface Seen {
  readonly points: readonly PointHeader[] | { readonly unknown: string };
  readonly slots: readonly SlotListing[] | { readonly unknown: string };
  /** Vaults that were asked, and those that did not answer. */
  readonly asked: readonly string[];
  readonly silent: readonly SilentVault[];
}

interface SilentVault {
  readonly vault: string;
  readonly problem: string;
}

/** The key slots in the vaults, and how they differ from what lifeboat.yaml says of them. */
export type ComparedSlots =
  | { readonly found: readonly SlotListing[]; readonly findings: readonly SlotFinding[]; readonly silent: readonly SilentVault[] }
  | { readonly unknown: string };

/** Looks into the vaults of a plan: each by itself, because one that is away must not hide what the others hold. */
export async function lookInto(context: Context, config: Config, plan: PlanConfig): Promise<Seen> {
  const [{ openVault }, { listSlots }] = await Promise.all([import('../../vault/open.ts'), import('../../repository/index.ts')]);
  // With a key, slots that were taken out of use are told from those that are only said to be.
  const key: PublicKeys | undefined = await loadWriteKey(context).catch(() => undefined);
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(PATIENCE)]);
  const open: Vault[] = [];
  const listings: (readonly SlotListing[])[] = [];
  const silent: SilentVault[] = [];
  let founded = false;
  try {
    await Promise.all(
      plan.vaults.map(async (name) => {
        const found = config.vaults.get(name);
        if (found === undefined) return;
        let vault: Vault | undefined;
        try {
          vault = await openVault(found);
          const [slots, header] = await Promise.all([listSlots([vault], key, { signal }), vault.head(HEADER_KEY, { signal })]);
          listings.push(slots);
          founded ||= header !== undefined;
          open.push(vault);
        } catch (error) {
          context.signal.throwIfAborted();
          await vault?.close();
          silent.push({ vault: name, problem: signal.aborted ? `no answer for ${PATIENCE / 1000} s` : messageOf(error) });
        }
      }),
    );
    const asked = plan.vaults.filter((name) => open.some((vault) => vault.name === name));
    const none = `the vaults could not be read (${silent.map(({ vault, problem }) => `${vault}: ${problem}`).join('; ')})`;
    if (asked.length === 0) return { points: { unknown: none }, slots: { unknown: none }, asked, silent };
    const listed = merged(listings, plan.vaults);
    const slots = founded || listed.length > 0 ? listed : { unknown: 'the vaults hold no repository yet (`lifeboat init`)' };
    const points = await pointsOf(open, plan.site, signal).catch((error: unknown) => {
      context.signal.throwIfAborted();
      return { unknown: `the vaults could not be read (${messageOf(error)})` };
    });
    return { points, slots, asked, silent };
  } finally {
    await Promise.allSettled(open.map((vault) => vault.close()));
  }
}

async function pointsOf(vaults: readonly Vault[], site: string, signal: AbortSignal): Promise<readonly PointHeader[]> {
  const { openReader } = await import('../../repository/index.ts');
  const reader = await openReader({ vaults, signal });
  try {
    const listed = await reader.listPoints({ site, signal });
    return listed.flatMap(({ header }) => (header === undefined ? [] : [header]));
  } finally {
    await reader.close();
  }
}

/** Each slot once, with all vaults that have it, in the order of the plan. */
function merged(listings: readonly (readonly SlotListing[])[], order: readonly string[]): readonly SlotListing[] {
  const byId = Map.groupBy(listings.flat(), ({ id }) => id);
  const all = [...byId.values()].flatMap((same) => {
    const [first] = same;
    const names = same.flatMap(({ vaults }) => vaults);
    return first === undefined ? [] : [{ ...first, vaults: order.filter((name) => names.includes(name)) }];
  });
  return all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** Compares the slots that were seen with what lifeboat.yaml says. */
export function compareSlots(placed: PlacedPlan, assessment: Assessment, { slots, asked, silent }: Pick<Seen, 'slots' | 'asked' | 'silent'>): ComparedSlots {
  if ('unknown' in slots) return slots;
  return { found: slots, findings: slotFindings(placed, assessment, slots, asked), silent };
}
