import type { Warning } from '../core/progress.ts';

/** What can befall many types at once, for the same cause. */
const OF_TYPES: Readonly<Record<string, string>> = {
  'type-not-cut': 'were not read',
  'type-inconsistent': 'were not read at the revision',
  'type-not-in-source': 'could not be read when the backup was made',
};

/** So many are still shown one by one. */
const MOST_ALONE = 3;

/** Whether warnings like this one are to be held back until all of them are known. */
export function isOfType(warning: Warning): boolean {
  return warning.where !== undefined && warning.kind in OF_TYPES;
}

/**
 * Warnings for people: where many types share a trouble one names them all. The others stay as they are, and in
 * their order; a group stands where its first was.
 */
export function groupWarnings(warnings: readonly Warning[]): readonly Warning[] {
  const groups = Map.groupBy(warnings.filter(isOfType), keyOf);
  return warnings.flatMap((warning) => {
    const group = isOfType(warning) ? (groups.get(keyOf(warning)) ?? []) : [];
    if (group.length <= MOST_ALONE) return [warning];
    if (group[0] !== warning) return [];
    const names = group.map(({ where = '' }) => where).join(', ');
    const cause = causeOf(warning.message);
    return [{ kind: warning.kind, message: `${group.length} types ${OF_TYPES[warning.kind] ?? ''}${cause === '' ? '' : `: ${cause}`}: ${names} (--verbose shows each)` }];
  });
}

/** A list of types with what befell each, as lines; many with the same cause as one line. */
export function groupReasons(types: readonly { readonly name: string; readonly reason: string }[]): readonly string[] {
  const groups = Map.groupBy(types, ({ name, reason }) => causeOf(reason) || `${name}: ${reason}`);
  return [...groups].flatMap(([cause, group]) =>
    group.length <= MOST_ALONE ? group.map(({ name, reason }) => (reason === '' ? name : `${name}: ${reason}`)) : [`${group.length} types: ${cause}: ${group.map(({ name }) => name).join(', ')}`],
  );
}

function keyOf(warning: Warning): string {
  return `${warning.kind} ${causeOf(warning.message)}`;
}

/** What several messages have in common, when it is the one cause that befalls many types: missing rights. `''` for others. */
function causeOf(message: string): string {
  return /\bnot allowed to list\b/i.test(message) ? 'not allowed to list them' : '';
}
