import { asSelection } from '../access/selection.ts';
import type { Selection } from '../site/types.ts';

/** Options of the command line that restrict objects. */
export interface SelectionOptions {
  readonly namespace?: readonly string[];
  readonly excludeNamespace?: readonly string[];
  readonly type?: readonly string[];
  readonly excludeType?: readonly string[];
  readonly label?: string;
}

/** The selection that options of the command line mean. */
export function selectionOf(options: SelectionOptions): Selection {
  return asSelection({
    namespaces: options.namespace?.slice(),
    excludeNamespaces: options.excludeNamespace?.slice(),
    types: options.type?.slice(),
    excludeTypes: options.excludeType?.slice(),
    labels: options.label,
  });
}
