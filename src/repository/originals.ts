import { isLifeboatError } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import type { ObjectInfo, Vault } from '../vault/vault.ts';

/** What a view looks at. */
const beneath = new WeakMap<Vault, Vault>();
/** The one view there is of a vault. */
const views = new WeakMap<Vault, { readonly view: Vault; readonly tell: (onWarning: OnWarning | undefined) => void }>();

/**
 * The vault as lifeboat left it: where it locks objects, and so keeps their first versions, these are what is read and listed,
 * whatever somebody put over them or hid. Where the credentials may not list versions, what is current, after a warning. A vault
 * that does not lock is given back as it is.
 */
export function genuineView(vault: Vault, onWarning?: OnWarning): Vault {
  if (!vault.locks || beneath.has(vault)) return vault;
  const known = views.get(vault) ?? viewOf(vault);
  views.set(vault, known);
  known.tell(onWarning);
  return known.view;
}

function viewOf(vault: Vault): { readonly view: Vault; readonly tell: (onWarning: OnWarning | undefined) => void } {
  let onWarning: OnWarning | undefined;
  let refusal: string | undefined;
  let told = false;
  const tell = (listener = onWarning): void => {
    onWarning = listener;
    if (refusal === undefined || told || onWarning === undefined) return;
    told = true;
    const message = `The credentials may not list versions, so what somebody put over genuine objects is not told from them: ${refusal}`;
    onWarning({ kind: 'versions-unknown', message, where: `vault "${vault.name}"` });
  };
  const refused = (error: unknown): boolean => {
    if (!isLifeboatError(error, 'LB_VAULT_ACCESS')) return false;
    refusal ??= error.message;
    tell();
    return true;
  };
  const either = async <T>(read: (original: boolean) => Promise<T>): Promise<T> => {
    if (refusal !== undefined) return read(false);
    try {
      return await read(true);
    } catch (error) {
      if (refused(error)) return read(false);
      throw error;
    }
  };
  const view: Vault = {
    name: vault.name,
    location: vault.location,
    locks: vault.locks,
    put: (key, body, options) => vault.put(key, body, options),
    get: (key, options) => either((original) => vault.get(key, { ...options, original })),
    head: (key, options) => either((original) => vault.head(key, { ...options, original })),
    async *list(prefix, options): AsyncGenerator<ObjectInfo, void, undefined> {
      let listed = false;
      try {
        for await (const info of vault.list(prefix, { ...options, original: refusal === undefined })) {
          listed = true;
          yield info;
        }
        return;
      } catch (error) {
        if (listed || refusal !== undefined || !refused(error)) throw error;
      }
      yield* vault.list(prefix, options);
    },
    retain: (key, until, options) => vault.retain(key, until, options),
    delete: (key, options) => vault.delete(key, options),
    uncover: (key, options) => vault.uncover(key, options),
    close: () => vault.close(),
  };
  beneath.set(view, vault);
  return { view, tell };
}

/** The vault with whatever is current in it, given a view of it; undefined of a vault that is no view. */
export function currentOf(view: Vault): Vault | undefined {
  return beneath.get(view);
}

/**
 * The vaults as they are, and after them those that keep first versions as these show them: for what is named by its hash, where any
 * copy that matches will do, and the first is looked for when all else fails.
 */
export function withOriginals(vaults: readonly Vault[]): readonly Vault[] {
  return [...vaults, ...vaults.filter((vault) => vault.locks && !beneath.has(vault)).map((vault) => genuineView(vault))];
}
