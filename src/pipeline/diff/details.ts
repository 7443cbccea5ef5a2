import { adapt, comparable } from '../../adapt/adapt.ts';
import { differences } from '../../adapt/difference.ts';
import { objectKey, parseObject } from '../../adapt/json.ts';
import type { JsonObject } from '../../adapt/json.ts';
import { peekIdentity } from '../../site/peek.ts';
import type { CutType } from '../../site/types.ts';
import { showValue } from '../show-value.ts';
import type { ShownDifference } from '../show-value.ts';
import type { Side } from './side.ts';

/** Bytes of objects of the first side that are held while the second is read. */
const BATCH_BYTES = 16 * 1024 * 1024;

/** Where objects of one type differ, by `namespace/name`. Reads both sides again, so many at a time as fit into memory. */
export async function explainType(
  sides: { readonly a: Side; readonly b: Side },
  types: { readonly a: CutType; readonly b: CutType },
  keys: readonly string[],
  signal?: AbortSignal,
): Promise<Map<string, ShownDifference[]>> {
  const found = new Map<string, ShownDifference[]>();
  const left = new Set(keys);
  while (left.size > 0) {
    const batch = new Map<string, JsonObject>();
    let bytes = 0;
    for await (const { key, object, size } of read(sides.a, types.a, left, signal)) {
      batch.set(key, object);
      bytes += size;
      if (bytes >= BATCH_BYTES) break;
    }
    if (batch.size === 0) break;
    for (const key of batch.keys()) left.delete(key);
    for await (const { key, object } of read(sides.b, types.b, batch, signal)) {
      found.set(key, differences(batch.get(key), object).map((difference) => showValue(difference, types.a)));
    }
  }
  return found;
}

async function* read(
  side: Side,
  type: CutType,
  wanted: { has(key: string): boolean },
  signal: AbortSignal | undefined,
): AsyncGenerator<{ key: string; object: JsonObject; size: number }> {
  for await (const bytes of side.source.objects(type, { signal })) {
    const { namespace, name } = peekIdentity(bytes);
    const key = objectKey(namespace, name);
    if (!wanted.has(key)) continue;
    const adapted = adapt(parseObject(bytes), type, side.facts);
    if (adapted.kept) yield { key, object: comparable(adapted.object, type), size: bytes.length };
  }
}
