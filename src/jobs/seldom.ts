/** The same is told again after this long, ms. */
const PAUSE = 60_000;
/** Different texts that are remembered. */
const MOST = 100;

/** Passes texts on, but the same one once a minute at most: what is tried again every second, over several connections, fails as often. */
export function seldom(tell: (text: string) => void, now: () => number = Date.now): (text: string) => void {
  const toldAt = new Map<string, number>();
  return (text) => {
    if (now() - (toldAt.get(text) ?? Number.NEGATIVE_INFINITY) < PAUSE) return;
    if (toldAt.size >= MOST) toldAt.clear();
    toldAt.set(text, now());
    tell(text);
  };
}
