import { objectKey } from '../../adapt/json.ts';
import { forEachParallel } from '../../pipeline/for-each.ts';
import type { SiteConnection } from '../../site/connect.ts';
import { discover } from '../../site/discover.ts';
import { isRefusal } from '../../site/errors.ts';
import { listCurrent } from '../../site/list.ts';
import { peekIdentity } from '../../site/peek.ts';
import { compileSelection } from '../../site/selection.ts';
import type { CompiledSelection } from '../../site/selection.ts';
import { typeName } from '../../site/types.ts';
import type { ResourceType, Selection } from '../../site/types.ts';

const PAGE_SIZE = 500;
const READERS = 8;

/** What is in the restored cluster, by its name: enough to tell whether a reference leads anywhere. */
export class Inventory {
  readonly #names: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #types: ReadonlyMap<string, ResourceType>;
  readonly #selections: readonly CompiledSelection[];

  private constructor(names: ReadonlyMap<string, ReadonlySet<string>>, types: readonly ResourceType[], selections: readonly CompiledSelection[]) {
    this.#names = names;
    this.#types = new Map(types.map((type) => [typeName(type), type]));
    this.#selections = selections;
  }

  /**
   * Reads the names of all objects of these types. Types the cluster does not serve have none. `selections`: what of the site was backed up,
   * and what of that was restored.
   */
  static async read(connection: SiteConnection, types: readonly string[], selections: readonly Selection[], signal?: AbortSignal): Promise<Inventory> {
    const { types: served } = await discover(connection, { signal });
    const wanted = served.filter((type) => types.includes(typeName(type)));
    const names = new Map<string, Set<string>>();
    await forEachParallel(wanted, READERS, async (type) => {
      const found = new Set<string>();
      await connection.retrying(async () => {
        found.clear();
        const object = (raw: Uint8Array): void => {
          const { namespace, name } = peekIdentity(raw);
          found.add(objectKey(namespace, name));
        };
        await listCurrent({ connection, type, scope: {}, pageSize: PAGE_SIZE, object, signal }).catch((error: unknown) => {
          if (!isRefusal(error, 404, 405)) throw error;
        });
      }, signal);
      names.set(typeName(type), found);
    });
    return new Inventory(names, wanted, selections.map(compileSelection));
  }

  /** `namespace`: `''` for cluster-scoped types. */
  has(type: string, namespace: string, name: string): boolean {
    return this.#names.get(type)?.has(objectKey(namespace, name)) === true;
  }

  /** Whether an object of this type and namespace was to be restored, had it been there. With labels to select by, nobody knows. */
  selects(type: string, namespace: string): boolean {
    const known = this.#types.get(type);
    if (known === undefined) return true;
    return this.#selections.every((selection) => selection.labels === undefined && selection.hasType(known) && (namespace === '' || selection.hasNamespace(namespace)));
  }
}
