/** `v2beta1` → what it is ordered by. Source: apimachinery/pkg/version/helpers.go, `CompareKubeAwareVersionStrings`. */
const VERSION = /^v(\d+)(?:(alpha|beta)(\d+))?$/;
const STABILITY = { alpha: 1, beta: 2 } as const;

/** The version an API server prefers of those that a definition serves: stable before beta before alpha, newer before older. */
export function preferredVersion(versions: readonly string[]): string | undefined {
  return versions.toSorted(compare)[0];
}

function compare(a: string, b: string): number {
  const [left, right] = [rank(a), rank(b)];
  // Other names come after, by the alphabet.
  if (left === undefined || right === undefined) return left === right ? (a < b ? -1 : a > b ? 1 : 0) : left === undefined ? 1 : -1;
  for (const [index, value] of left.entries()) {
    const difference = (right[index] ?? 0) - value;
    if (difference !== 0) return difference;
  }
  return 0;
}

function rank(version: string): readonly [number, number, number] | undefined {
  const match = VERSION.exec(version);
  if (match === null) return undefined;
  const [, major = '0', stability, minor = '0'] = match;
  return [stability === 'alpha' || stability === 'beta' ? STABILITY[stability] : 3, Number(major), Number(minor)];
}
