import type { Config } from '../config/load.ts';
import type { Change } from './change.ts';
import type { PlacedPlan } from './from-config.ts';
import { lossName } from './loss.ts';
import type { Loss } from './loss.ts';
import type { Thing } from './topology.ts';

type Path = readonly (string | number)[];

/** Where lifeboat.yaml says where a thing stands, or is to say it: `lifeboat.yaml:12`. */
export function whereIs(config: Config, placed: PlacedPlan, { of, name }: Thing): string {
  switch (of) {
    case 'site':
      return config.lineOf(['sites', name, 'domain']);
    case 'vault':
      return config.lineOf(['vaults', name, 'domain']);
    case 'control':
      return config.lineOf(['control', 'domain']);
    case 'opener':
      break;
  }
  const way = placed.ways.find((one) => one.name === name);
  return config.lineOf([...(way?.path ?? ['keys', 'openers']), 'domain']);
}

/** Where a thing stands at the level of a loss: `zone own/berlin/?`. */
export function standsIn({ topology }: PlacedPlan, { of, name }: Thing, { level }: Loss): string {
  const { site, control, vaults, openers } = topology;
  const thing = { site: [site], control: control === undefined ? [] : [control], vault: vaults, opener: openers }[of].find((one) => one.name === name);
  if (thing === undefined || thing.place === 'outside') return '';
  return lossName({ level, at: thing.place });
}

/** Where a change is to be made. */
export function whereToChange(config: Config, placed: PlacedPlan, plan: string, change: Change): string {
  if (change.kind === 'say-domain') return whereIs(config, placed, change);
  return config.lineOf(pathOf(change, plan));
}

function pathOf(change: Exclude<Change, { readonly kind: 'say-domain' }>, plan: string): Path {
  switch (change.kind) {
    case 'raise-copies':
      return ['plans', plan, 'copies'];
    case 'add-vault':
    case 'new-vault':
      return ['plans', plan, 'vaults'];
    case 'add-opener':
      return ['keys', 'openers'];
    case 'move-control':
      break;
  }
  return ['control', 'domain'];
}
