/**
 * What could really be restored, found by trying everything: every world that fits what is known, every way to lay a
 * safe point into the vaults. Shares nothing with src/placement but the shape of a topology.
 */
import type { FailureDomain, Level } from '../../src/core/failure-domain.ts';
import type { Topology } from '../../src/placement/topology.ts';

/** A place of which everything is known. */
type Known = { readonly cloud: string; readonly account: string; readonly region: string; readonly zone: string };
/** One domain to lose. `elsewhere` is a name that the topology does not have. */
export type Domain = { readonly level: Level } & Partial<Known>;

const FIELDS = ['cloud', 'account', 'region', 'zone'] as const;
export const ELSEWHERE = 'elsewhere';

/** All the worlds of a topology, and what each loss takes in each. Things are bits: site, control, vaults, openers. */
export class Worlds {
  readonly #worlds: readonly (readonly (Known | 'outside')[])[];
  readonly #topology: Topology;
  readonly #taken = new Map<string, readonly number[]>();
  /** Every set of vaults that a safe point may lie in. */
  readonly #layouts: readonly number[];
  readonly #openers: number;
  readonly #firstVault: number;

  constructor(topology: Topology) {
    this.#topology = topology;
    const things = [topology.site, ...(topology.control === undefined ? [] : [topology.control]), ...topology.vaults, ...topology.openers].map(({ place }) => place);
    this.#firstVault = topology.control === undefined ? 1 : 2;
    const names = Object.fromEntries(
      FIELDS.map((field) => [field, [...new Set(things.flatMap((place) => (place === 'outside' ? [] : [place[field] ?? ELSEWHERE]))).add(ELSEWHERE)].filter((name) => name !== 'multi')]),
    );
    let worlds: (Known | 'outside')[][] = [[]];
    for (const place of things) {
      const possible = place === 'outside' ? [place] : completions(place, names);
      worlds = worlds.flatMap((world) => possible.map((one) => [...world, one]));
    }
    this.#worlds = worlds;
    this.#layouts = layouts(topology.vaults.length, topology.copies).map((bits) => bits << this.#firstVault);
    this.#openers = ((1 << topology.openers.length) - 1) << (this.#firstVault + topology.vaults.length);
  }

  /** Every domain that something stands in, in some world. */
  domains(): readonly Domain[] {
    const found = new Map<string, Domain>();
    for (const world of this.#worlds) for (const domain of world.flatMap(domainsOf)) found.set(JSON.stringify(domain), domain);
    return [...found.values()];
  }

  /** Whether in every world something can be restored after all of these are lost. */
  restorable(lost: readonly Domain[]): boolean {
    const taken = lost.map((domain) => this.#takenBy(domain));
    return this.#worlds.every((_world, index) => this.#restorableFrom(taken.reduce((bits, one) => bits | (one[index] ?? 0), 0)));
  }

  #takenBy(domain: Domain): readonly number[] {
    const key = JSON.stringify(domain);
    const known = this.#taken.get(key);
    if (known !== undefined) return known;
    const taken = this.#worlds.map((world) => world.reduce((bits, place, index) => (isIn(place, domain) ? bits | (1 << index) : bits), 0));
    this.#taken.set(key, taken);
    return taken;
  }

  #restorableFrom(lost: number): boolean {
    if ((this.#openers & ~lost) === 0) return false;
    if (this.#topology.control !== undefined && (lost & 3) === 3) return false;
    return this.#layouts.every((vaults) => (vaults & ~lost) !== 0);
  }
}

function completions(place: FailureDomain, names: Readonly<Record<string, readonly string[]>>): Known[] {
  let all: Record<string, string>[] = [{}];
  for (const field of FIELDS) {
    const given = place[field];
    const values = given === undefined ? (names[field] ?? []) : [given];
    all = all.flatMap((before) => values.map((value) => ({ ...before, [field]: value })));
  }
  return all as Known[];
}

function domainsOf(place: Known | 'outside'): Domain[] {
  if (place === 'outside') return [];
  const { cloud, account, region, zone } = place;
  const all: Domain[] = [
    { level: 'cloud', cloud },
    { level: 'account', cloud, account },
    { level: 'region', cloud, region },
    { level: 'zone', cloud, region, zone },
  ];
  return all.filter((domain) => !Object.values(domain).includes('multi'));
}

function isIn(place: Known | 'outside', { level, cloud, account, region, zone }: Domain): boolean {
  if (place === 'outside' || place.cloud !== cloud) return false;
  if (level === 'cloud') return true;
  if (level === 'account') return place.account === account;
  return place.region === region && (level === 'region' || place.zone === zone);
}

/** Every choice of `size` out of `count`, as bits. */
function layouts(count: number, size: number): number[] {
  return Array.from({ length: 1 << count }, (_, bits) => bits).filter((bits) => ones(bits) === size);
}

function ones(bits: number): number {
  return bits === 0 ? 0 : (bits & 1) + ones(bits >> 1);
}
