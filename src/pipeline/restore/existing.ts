import type { Facts } from '../../adapt/facts.ts';
import { objectKey } from '../../adapt/json.ts';
import type { Comparable, Row } from '../../adapt/row.ts';
import { ownersText, readRow, sameButFilled } from '../../adapt/row.ts';
import type { SiteConnection } from '../../site/connect.ts';
import type { ResourceType } from '../../site/types.ts';
import { readTarget } from './target.ts';

/** What is remembered of an object that is in the target already. */
export interface Existing {
  readonly uid: string;
  readonly digest: string;
  readonly looseDigest: string;
  readonly filled: readonly string[];
  /** Its owners as they are compared. */
  readonly owners: string;
  readonly pristine: boolean;
}

/** Objects of one type in the target, by `namespace/name`. Those that are being deleted count as gone. */
export async function readExisting(
  connection: SiteConnection,
  type: ResourceType,
  facts: Facts,
  options: { readonly namespaces?: readonly string[] | undefined; readonly signal?: AbortSignal | undefined },
): Promise<ReadonlyMap<string, Existing>> {
  const existing = new Map<string, Existing>();
  await readTarget(connection, type, {
    namespaces: options.namespaces,
    object: (raw) => {
      const row = readRow(raw, type, facts);
      if (row !== undefined && row.drop !== 'being-deleted') existing.set(objectKey(row.namespace, row.name), ofRow(row));
    },
    restart: () => existing.clear(),
    signal: options.signal,
  });
  return existing;
}

function ofRow(row: Row): Existing {
  return { uid: row.uid, digest: row.digest, looseDigest: row.looseDigest, filled: row.filled, owners: ownersText(row), pristine: row.pristine };
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
export function likeness(wanted: Comparable, owners: string, existing: Comparable & Pick<Existing, 'owners' | 'pristine'>): Likeness {
  const loosely = wanted.looseDigest !== '' && wanted.looseDigest === existing.looseDigest;
  if (sameButFilled(wanted, existing)) {
    if (owners === existing.owners) return 'equal';
    return existing.owners === '' ? 'unowned' : 'different';
  }
  if (existing.pristine) return 'pristine';
  return loosely && wanted.filled.length === 0 && owners === existing.owners ? 'other-node-ports' : 'different';
}
