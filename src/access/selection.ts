import type { SelectConfig } from '../config/schema.ts';
import type { Selection } from '../site/types.ts';

/** `select` of lifeboat.yaml as the selection it means. */
export function asSelection(select: SelectConfig): Selection {
  return Object.fromEntries(Object.entries(select).filter(([, value]) => value !== undefined));
}
