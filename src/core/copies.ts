/** In how many of its vaults a point must be to count as safe, unless the plan says otherwise: the only one, else a majority. */
export function defaultCopies(vaults: number): number {
  return Math.floor(vaults / 2) + 1;
}
