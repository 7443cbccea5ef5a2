import type { Config } from '../config/load.ts';
import type { PlanConfig } from '../config/schema.ts';
import { defaultCopies } from '../core/copies.ts';
import { comparable, LEVELS } from '../core/failure-domain.ts';
import type { FailureDomain, Level } from '../core/failure-domain.ts';
import type { VaultConfig } from '../vault/config.ts';
import { copiesOf } from './copies.ts';
import { domainOfKeyService, domainOfKmsKey, domainOfStore } from '../config/inferred-domain.ts';
import type { Surroundings } from './nearest.ts';
import type { Place, Standing, Topology } from './topology.ts';

/** A plan of lifeboat.yaml as the model takes it. */
export interface PlacedPlan {
  readonly topology: Topology;
  readonly surroundings: Surroundings;
  /** What was read out of the settings of vaults and keys because nobody wrote it as a domain. */
  readonly inferred: readonly { readonly name: string; readonly fields: readonly Level[] }[];
  /** Nothing is said of what opens the repository, and something is taken for granted. */
  readonly openersAssumed: boolean;
}

/** The plan and all that decides whether it survives a loss, from a checked lifeboat.yaml. */
export function placedPlan(config: Config, plan: PlanConfig): PlacedPlan {
  const vault = (name: string): readonly VaultConfig[] => {
    const found = config.vaults.get(name);
    return found === undefined ? [] : [found];
  };
  const used = plan.vaults.flatMap(vault);
  const others = [...config.vaults.values()].filter(({ name }) => !plan.vaults.includes(name));
  const openers = openersOf(config);
  return {
    topology: {
      site: { name: plan.site, place: placeOf(config.sites.get(plan.site)?.domain) },
      control: config.control && { name: 'control side', place: placeOf(config.control.domain) },
      vaults: used.map(standingOf),
      openers: openers.standings,
      copies: copiesOf(plan),
      outlives: plan.outlives,
    },
    surroundings: { otherVaults: others.map(standingOf), defaultCopies: plan.copies === undefined ? defaultCopies : undefined },
    inferred: used.flatMap((one) => {
      const fields = LEVELS.filter((level) => one.domain?.[level] === undefined && domainOfStore(one)[level] !== undefined);
      return fields.length === 0 ? [] : [{ name: `vault "${one.name}"`, fields }];
    }),
    openersAssumed: openers.assumed,
  };
}

/** Where the vault stands: what is written of it, and for the rest what its settings tell. */
export function domainOfVault(vault: VaultConfig): FailureDomain {
  return comparable({ ...domainOfStore(vault), ...vault.domain });
}

function standingOf(vault: VaultConfig): Standing {
  return { name: vault.name, place: domainOfVault(vault) };
}

function placeOf(domain: FailureDomain | undefined): Place {
  return comparable(domain ?? {});
}

/**
 * The ways to open the repository: as declared, else those of `keys.read`, else one that is taken for granted, because every
 * repository has one and a machine that only makes backups should not know it. What people keep is outside every
 * domain unless a domain is given; a key service never is.
 */
function openersOf(config: Config): { readonly standings: readonly Standing[]; readonly assumed: boolean } {
  if (config.openers !== undefined) {
    const named = config.openers.map(({ kind, name }, index, all) => name ?? (all.filter((one) => one.kind === kind).length > 1 ? `${kind} ${index + 1}` : kind));
    const standings = config.openers.map(({ kind, domain }, index): Standing => {
      const byPeople = kind === 'age' || kind === 'passphrase';
      const place = byPeople && domain === undefined ? 'outside' : comparable({ ...domainOfKeyService(kind), ...domain });
      return { name: named[index] ?? kind, place };
    });
    return { standings, assumed: false };
  }
  const { identityFile, identityEnv, passphraseFile, passphraseEnv, kms = [] } = config.readKey ?? {};
  const names = [
    ...(identityFile === undefined && identityEnv === undefined ? [] : ['age']),
    ...(passphraseFile === undefined && passphraseEnv === undefined ? [] : ['passphrase']),
  ];
  const services = kms.map(({ key, domain }): Standing => ({ name: key, place: comparable({ ...domainOfKmsKey(key), ...domain }) }));
  const assumed = names.length + services.length === 0;
  return { standings: [...(assumed ? ['age or passphrase'] : names).map((name): Standing => ({ name, place: 'outside' })), ...services], assumed };
}
