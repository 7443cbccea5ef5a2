import type { Facts } from '../../adapt/facts.ts';
import { objectKey } from '../../adapt/json.ts';
import type { Comparable, Row } from '../../adapt/row.ts';
import { ownersText, readRow, sameButFilled } from '../../adapt/row.ts';
import type { SiteConnection } from '../../site/connect.ts';
import type { ResourceType } from '../../site/types.ts';
import { readTarget } from './target.ts';

/** Objects of one type in the target, by `namespace/name`. Those that are being deleted count as gone. */
export async function readExisting(
  connection: SiteConnection,
  type: ResourceType,
  facts: Facts,
  options: { readonly namespaces?: readonly string[] | undefined; readonly signal?: AbortSignal | undefined },
): Promise<ReadonlyMap<string, Row>> {
  const existing = new Map<string, Row>();
  await readTarget(connection, type, {
    namespaces: options.namespaces,
    object: (raw) => {
      const row = readRow(raw, type, facts);
      if (row !== undefined && row.drop !== 'being-deleted') existing.set(objectKey(row.namespace, row.name), row);
    },
    restart: () => existing.clear(),
    signal: options.signal,
  });
  return existing;
}

/** How what is in the target compares with what the restore wants there. */
export type Likeness =
  | 'equal'
  /** Equal, but it lacks the owner references that the restore would give it. */
  | 'unowned'
  /** A Service that differs in nothing but the ports it has on the nodes. */
  | 'other-node-ports'
  /** As the target makes it by itself: nobody has put anything into it. */
  | 'pristine'
  | 'different';

/** Compares. `owners`: the owners the object is to have, as text. */
export function likeness(wanted: Comparable, owners: string, existing: Row): Likeness {
  const loosely = wanted.looseDigest !== '' && wanted.looseDigest === existing.looseDigest;
  if (sameButFilled(wanted, existing)) {
    if (owners === ownersText(existing)) return 'equal';
    return existing.owners.length === 0 ? 'unowned' : 'different';
  }
  if (existing.pristine) return 'pristine';
  return loosely && wanted.filled.length === 0 && owners === ownersText(existing) ? 'other-node-ports' : 'different';
}
