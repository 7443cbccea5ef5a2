import type { Level } from '../core/failure-domain.ts';
import type { Change } from './change.ts';
import { COORDINATES, includes, lossName } from './loss.ts';
import type { Loss } from './loss.ts';
import type { Fate, Outcome } from './survival.ts';
import type { Thing, Topology } from './topology.ts';

/** `a zone`, `an account`. */
export function aLevel(level: Level): string {
  return level === 'account' ? 'an account' : `a ${level}`;
}

/** Why a loss is not survived. */
export interface Reason {
  /** A sentence without its full stop. */
  readonly text: string;
  readonly losses: readonly Loss[];
  /** What the loss takes, or may take, that is missed. */
  readonly takes: readonly Thing[];
}

/** Why losses are not survived, largest first; what lies in a domain that is named already is left out. */
export function reasonsOf(outcomes: readonly Outcome[], topology: Topology): readonly Reason[] {
  return [
    ...largest(outcomes.filter(({ point }) => !point)).map((outcome) => ({ text: pointReason(outcome, topology), losses: outcome.losses, takes: things('vault', outcome.vaults) })),
    ...largest(outcomes.filter(({ key }) => !key)).map((outcome) => ({
      text: `losing ${named(outcome)} ${takes(outcome.openers)} all that opens the repository: ${taken(outcome.openers)}`,
      losses: outcome.losses,
      takes: things('opener', outcome.openers),
    })),
    ...largest(outcomes.filter(({ controlled }) => !controlled)).map((outcome) => {
      const both = outcome.control === 'yes' && outcome.site === 'yes';
      return {
        text: `losing ${named(outcome)} ${both ? 'takes' : 'may take'} the control side together with the site: nobody is left to restore`,
        losses: outcome.losses,
        takes: [
          { of: 'site', name: topology.site.name },
          { of: 'control', name: 'control side' },
        ] as const,
      };
    }),
  ];
}

function things(of: Thing['of'], { lost, doubtful }: Fate): readonly Thing[] {
  return [...lost, ...doubtful].map((name) => ({ of, name }));
}

function pointReason(outcome: Outcome, topology: Topology): string {
  const { copies, vaults } = topology;
  const losing = `losing ${named(outcome)} ${takes(outcome.vaults)}`;
  if (vaults.length === 1) return `${losing} its only vault, ${taken(outcome.vaults)}`;
  const count = outcome.vaults.lost.length + outcome.vaults.doubtful.length;
  if (count === vaults.length) return `${losing} every vault: ${taken(outcome.vaults)}`;
  return `${losing} ${taken(outcome.vaults)}; a point is safe as soon as ${copies === 1 ? 'one vault holds' : `${copies} vaults hold`} it, so it may be nowhere else`;
}

function takes({ doubtful }: Fate): string {
  return doubtful.length === 0 ? 'takes' : 'may take';
}

/** The names of what a loss takes; of which that is not sure, it says so. */
function taken({ lost, doubtful }: Fate): string {
  const all = listed([...lost, ...doubtful]);
  if (doubtful.length === 0) return all;
  return `${all} (too little is known of where ${lost.length === 0 && doubtful.length > 1 ? 'they stand' : `${listed(doubtful)} ${doubtful.length === 1 ? 'stands' : 'stand'}`})`;
}

/** `near, west and south`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function named({ losses }: Outcome): string {
  return losses.map(lossText).join(' and ');
}

/** The loss in a sentence: of a domain that nobody named, by what it lies in: `a zone of own/berlin`. */
function lossText(loss: Loss): string {
  const { level, at } = loss;
  const coordinates = COORDINATES[level];
  const given = coordinates.flatMap((coordinate) => at[coordinate] ?? []);
  if (given.length === coordinates.length) return lossName(loss);
  const within = coordinates.findIndex((coordinate) => at[coordinate] === undefined);
  return within === 0 ? aLevel(level) : `${aLevel(level)} of ${given.slice(0, within).join('/')}`;
}

function largest(outcomes: readonly Outcome[]): readonly Outcome[] {
  const within = (one: Outcome, other: Outcome): boolean => one.losses.every((loss) => other.losses.some((larger) => includes(larger, loss)));
  return outcomes.filter((one, index) => !outcomes.some((other, at) => at < index && within(one, other)));
}

/** A change, as something to do. */
export function changeText(change: Change, plan: string, topology: Topology): string {
  switch (change.kind) {
    case 'raise-copies':
      return `set \`copies: ${change.to}\` in plans.${plan} (now ${topology.copies})`;
    case 'add-vault':
      return `add vault ${change.vault} to plans.${plan}.vaults`;
    case 'new-vault':
      return `add ${change.count === 1 ? 'a new vault' : `${change.count} new vaults, each`} in another ${change.level} to plans.${plan}.vaults, with \`domain\``;
    case 'say-domain':
      return `give ${OF[change.of](change.name)} its \`domain\` (${change.fields.join(', ')}): this helps if it stands where nothing else of the plan does`;
    case 'add-opener':
      return 'add a way to open the repository that depends on no domain (`lifeboat keys add`: a passphrase or an age recipient), and name it under keys.openers';
    case 'move-control':
      break;
  }
  return `run the control side in another ${change.level} than the site, and say so in control.domain`;
}

const OF: Readonly<Record<Extract<Change, { kind: 'say-domain' }>['of'], (name: string) => string>> = {
  site: (name) => `site ${name}`,
  vault: (name) => `vault ${name}`,
  opener: (name) => `${name} in keys.openers`,
  control: () => '`control`',
};
