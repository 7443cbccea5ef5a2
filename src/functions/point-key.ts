import type { Config } from '../config/load.ts';
import { POINT_ID, POINTS_PREFIX, SITE_NAME } from '../repository/layout.ts';
import type { VaultConfig } from '../vault/config.ts';
import type { CreatedObject } from './trigger.ts';

/** A recovery point that appeared in a vault. */
export interface AppearedPoint {
  readonly vault: string;
  readonly site: string;
  readonly point: string;
}

/** The recovery points that an object is, one for each vault it belongs to. None, when it is something else. */
export function appearedPoints(object: CreatedObject, config: Config): readonly AppearedPoint[] {
  return [...config.vaults.values()].flatMap((vault) => {
    const key = isIn(object, vault) ? keyIn(object.key, vault) : undefined;
    const [site, point, ...rest] = key?.startsWith(POINTS_PREFIX) === true ? key.slice(POINTS_PREFIX.length).split('/') : [];
    if (site === undefined || point === undefined || rest.length > 0 || !SITE_NAME.test(site) || !POINT_ID.test(point)) return [];
    return [{ vault: vault.name, site, point }];
  });
}

function isIn(object: CreatedObject, vault: VaultConfig): boolean {
  if (object.store !== vault.type) return false;
  if (vault.type === 'azure') return vault.container === object.bucket && (object.account === undefined || object.account === vault.account);
  return vault.bucket === object.bucket;
}

function keyIn(key: string, vault: VaultConfig): string | undefined {
  const prefix = vault.type === 'directory' || vault.prefix === undefined ? '' : `${vault.prefix}/`;
  return key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
}
