import { EXIT } from '../../core/error-codes.ts';
import type { SlotRotation } from '../../repository/index.ts';
import type { ReadKeyOptions, VaultOptions } from '../../access/options.ts';
import type { Context } from '../context.ts';
import { loadOpenersIfAny } from '../../access/key-files.ts';
import type { Opener } from '../../access/key-files.ts';
import { unlockVaults, withVaults } from '../../access/repository.ts';
import { SHOWN } from './list.ts';
import { unopened } from './unopened.ts';

export type KeysRotateOptions = VaultOptions & ReadKeyOptions;

/** `lifeboat keys rotate` */
export async function rotateKeys(context: Context, slot: string | undefined, options: KeysRotateOptions): Promise<number> {
  return withVaults(context, options, async (vaults, configs) => {
    const { rotateSlots } = await import('../../repository/index.ts');
    const keys = await unlockVaults(context, vaults, options, 'owner');
    const rotated = await rotateSlots(vaults, keys, await services(context, options), {
      signal: context.signal,
      onWarning: context.output.warn,
      absent: unopened(vaults, configs),
      ...(slot !== undefined && { wanted: slot }),
    });
    const ok = rotated.every(({ kept }) => kept === undefined || kept === 'newest');
    await context.output.result({ ok, rotated }, () => rotated.map(sentence).join('\n'));
    return ok ? EXIT.ok : EXIT.partial;
  });
}

/** Every key of a key service that the user named, on the command line and in lifeboat.yaml: more may be rotated than opened. */
async function services(context: Context, options: ReadKeyOptions) {
  const named: Opener[] = options.kms === undefined ? [] : [...(await loadOpenersIfAny(context, { kms: options.kms }, 'owner'))];
  for (const role of ['read', 'maintain'] as const) named.push(...(await loadOpenersIfAny(context, {}, role, () => {})));
  return named.flatMap((opener) => (opener.kind === 'kms' ? [opener.provider] : []));
}

function sentence({ slot, key, successor, kept }: SlotRotation): string {
  const old = `key slot ${slot.slice(0, SHOWN)} (${key})`;
  const id = successor?.id.slice(0, SHOWN) ?? '';
  if (kept === undefined) return `${old} was replaced by ${id} in ${successor?.vaults.toSorted().join(', ') ?? ''}`;
  const reasons = {
    newest: 'is under the newest version of its key',
    'not-named': 'was left alone: its key is named neither in lifeboat.yaml nor with --kms',
    'not-in-every-vault': `was kept: its successor ${id} is not in ${successor?.failed.map((one) => one.vault).join(', ') ?? ''}`,
  };
  return `${old} ${reasons[kept]}`;
}
