import type { Config } from '../config/load.ts';
import type { PlanConfig } from '../config/schema.ts';
import { defaultCopies } from '../core/copies.ts';
import { comparable, LEVELS } from '../core/failure-domain.ts';
import type { FailureDomain, Level } from '../core/failure-domain.ts';
import type { VaultConfig } from '../vault/config.ts';
import { copiesOf } from './copies.ts';
import { domainOfStore } from '../config/inferred-domain.ts';
import { withoutMistypes } from './mistyped.ts';
import type { Surroundings } from './nearest.ts';
import type { Standing, Topology } from './topology.ts';
import { waysIn } from './ways-in.ts';
import type { WayIn } from './ways-in.ts';
import { ambiguousZones } from './zones.ts';

/** A plan of lifeboat.yaml as the model takes it. */
export interface PlacedPlan {
  readonly topology: Topology;
  readonly surroundings: Surroundings;
  /** What was read out of the settings of vaults and keys because nobody wrote it as a domain. */
  readonly inferred: readonly { readonly name: string; readonly fields: readonly Level[] }[];
  /** The openers of the topology, in its order, with what lifeboat.yaml says of them. */
  readonly ways: readonly WayIn[];
  /** They are all there are: `keys.openers` says so. */
  readonly declared: boolean;
  /** Nothing is said of what opens the repository, and something is taken for granted. */
  readonly openersAssumed: boolean;
  /** What looks mistyped and therefore does not count as it is written: a sentence each. */
  readonly mistyped: readonly string[];
}

/** Zones by names that are the same in every account. */
const AN_ID: Readonly<Record<string, string>> = { aws: 'euc1-az1', azure: 'westeurope-az1' };

/** The plan and all that decides whether it survives a loss, from a checked lifeboat.yaml. */
export function placedPlan(config: Config, plan: PlanConfig): PlacedPlan {
  const vault = (name: string): readonly VaultConfig[] => {
    const found = config.vaults.get(name);
    return found === undefined ? [] : [found];
  };
  const { ways, assumed } = waysIn(config);
  const siteDomain = comparable(config.sites.get(plan.site)?.domain ?? {});
  const written = [...[...config.vaults.values()].map(domainOfVault), ...ways.map(({ place }) => place), siteDomain, ...(config.control === undefined ? [] : [comparable(config.control.domain)])];
  const isAmbiguous = ambiguousZones(written.flatMap((place) => (place === 'outside' ? [] : [withoutMistypes(place).domain])));
  const mistyped: string[] = [];
  /** The thing as it counts. What looks mistyped of it is remembered, with where it stands in the file. */
  const counted = (title: string, { name, place }: Standing, path: readonly (string | number)[]): Standing => {
    if (place === 'outside') return { name, place };
    const { domain, odd } = withoutMistypes(place);
    const { zone, ...rest } = domain;
    const ambiguous = isAmbiguous(domain);
    const told = ambiguous ? [...odd, `\`${zone}\` may be any of the zones that others are in, as its name means another zone in another account, and counts as not given: write ids of zones everywhere (such as \`${AN_ID[rest.cloud ?? ''] ?? ''}\`)`] : odd;
    mistyped.push(...told.map((text) => `${title} (${config.lineOf([...path, 'domain'])}): ${text}`));
    return { name, place: ambiguous ? rest : domain };
  };
  const ofVault = (one: VaultConfig): Standing => counted(`vault ${one.name}`, { name: one.name, place: domainOfVault(one) }, ['vaults', one.name]);
  const used = plan.vaults.flatMap(vault);
  const others = [...config.vaults.values()].filter(({ name }) => !plan.vaults.includes(name));
  const topology: Topology = {
    vaults: used.map(ofVault),
    openers: ways.map((way) => counted(`key ${way.name}`, { name: way.name, place: way.place }, way.path)),
    site: counted(`site ${plan.site}`, { name: plan.site, place: siteDomain }, ['sites', plan.site]),
    control: config.control && counted('the control side', { name: 'control side', place: comparable(config.control.domain) }, ['control']),
    copies: copiesOf(plan),
    outlives: plan.outlives,
  };
  return {
    topology,
    surroundings: { otherVaults: others.map(ofVault), defaultCopies: plan.copies === undefined ? defaultCopies : undefined },
    inferred: used.flatMap((one) => {
      const fields = LEVELS.filter((level) => one.domain?.[level] === undefined && domainOfStore(one)[level] !== undefined);
      return fields.length === 0 ? [] : [{ name: one.name, fields }];
    }),
    ways,
    declared: config.openers !== undefined,
    openersAssumed: assumed,
    mistyped,
  };
}

/** Where the vault stands: what is written of it, and for the rest what its settings tell. */
export function domainOfVault(vault: VaultConfig): FailureDomain {
  return comparable({ ...domainOfStore(vault), ...vault.domain });
}
