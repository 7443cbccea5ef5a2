import { domainOfKeyService, domainOfKmsKey } from '../config/inferred-domain.ts';
import type { Config } from '../config/load.ts';
import { comparable } from '../core/failure-domain.ts';
import type { Place } from './topology.ts';

/** One way to open the repository, as lifeboat.yaml says it. */
export interface WayIn {
  readonly name: string;
  /** `age`, `passphrase`, a key service; `people` for what is taken for granted: an identity or a passphrase. */
  readonly kind: string;
  /** The key of a key service, where it is given. */
  readonly key?: string;
  readonly place: Place;
  /** Where the file says it. */
  readonly path: readonly (string | number)[];
}

/**
 * The ways to open the repository: as declared, else those of `keys.read`, else one that is taken for granted, because every
 * repository has one and a machine that only makes backups should not know it. What people keep is outside every
 * domain unless a domain is given; a key service never is.
 */
export function waysIn(config: Config): { readonly ways: readonly WayIn[]; readonly assumed: boolean } {
  if (config.openers !== undefined) return { ways: declared(config.openers), assumed: false };
  const { identityFile, identityEnv, passphraseFile, passphraseEnv, kms = [] } = config.readKey ?? {};
  const path = ['keys', 'read'];
  const byPeople = [
    ...(identityFile === undefined && identityEnv === undefined ? [] : ['age']),
    ...(passphraseFile === undefined && passphraseEnv === undefined ? [] : ['passphrase']),
  ].map((kind): WayIn => ({ name: kind, kind, place: 'outside', path }));
  const services = kms.map(({ key, domain }, index): WayIn => ({ name: key, kind: kindOf(key), key, place: comparable({ ...domainOfKmsKey(key), ...domain }), path: [...path, 'kms', index] }));
  const assumed = byPeople.length + services.length === 0;
  return { ways: [...(assumed ? [{ name: 'age or passphrase', kind: 'people', place: 'outside', path: ['keys'] } as const] : byPeople), ...services], assumed };
}

function declared(openers: NonNullable<Config['openers']>): readonly WayIn[] {
  return openers.map(({ kind, name, key, domain }, index): WayIn => {
    const only = openers.filter((one) => one.kind === kind).length === 1;
    const byPeople = kind === 'age' || kind === 'passphrase';
    const told = key === undefined ? domainOfKeyService(kind) : domainOfKmsKey(key);
    return {
      name: name ?? (only ? kind : `${kind} ${index + 1}`),
      kind,
      ...(key !== undefined && { key }),
      place: byPeople && domain === undefined ? 'outside' : comparable({ ...told, ...domain }),
      path: ['keys', 'openers', index],
    };
  });
}

function kindOf(key: string): string {
  return key.slice(0, key.indexOf(':'));
}
