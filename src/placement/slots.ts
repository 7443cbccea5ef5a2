import { domainOfKmsKey } from '../config/inferred-domain.ts';
import { comparable, LEVELS, SPREAD } from '../core/failure-domain.ts';
import type { FailureDomain } from '../core/failure-domain.ts';
import type { PlacedPlan } from './from-config.ts';
import { lossName } from './loss.ts';
import { listed } from './reasons.ts';
import type { Assessment, Outcome } from './survival.ts';
import type { WayIn } from './ways-in.ts';

/** A key slot as it was found in the vaults of a plan. */
export interface PlacedSlot {
  readonly id: string;
  readonly kind: string;
  /** What it holds. Slots of the maintain role alone open no point. */
  readonly role: string;
  /** The key of a key service that locks it: `aws-kms:arn:…`. */
  readonly key?: string;
  /** Names of the vaults that have it. */
  readonly vaults: readonly string[];
}

/** How the key slots in the vaults differ from what lifeboat.yaml says of them. */
export interface SlotFinding {
  /**
   * - `breaks`: a loss that the plan survives on paper leaves no slot that anything opens.
   * - `nothing-opened`: a way in for which there is no slot. It counts for nothing.
   * - `not-named`: a slot that nothing under `keys.openers` opens. Somebody can open the repository with it, and the plan does not count on it.
   * - `not-everywhere`: a slot that some of the vaults lack.
   */
  readonly kind: 'breaks' | 'nothing-opened' | 'not-named' | 'not-everywhere';
  readonly text: string;
  /** Where in lifeboat.yaml it is said, as a path; absent where nothing is. */
  readonly path?: readonly (string | number)[];
}

/** Letters of a slot's id that tell it from others, as `lifeboat keys list` shows them. */
const SHOWN = 12;

/**
 * Compares the key slots of the plan's vaults with the ways in that lifeboat.yaml names. `asked`: the vaults that could be
 * asked. One that is away is taken to hold what the others hold: that it is away is told elsewhere, and passes.
 */
export function slotFindings(placed: PlacedPlan, { broken, outcomes }: Assessment, slots: readonly PlacedSlot[], asked: readonly string[]): readonly SlotFinding[] {
  const opening = slots.filter(({ role }) => role === 'owner' || role === 'read');
  const away = placed.topology.vaults.map(({ name }) => name).filter((name) => !asked.includes(name));
  const matches = placed.ways.map((way) => ({ way, slots: opening.filter((slot) => fits(way, slot)) }));
  const believed = matches.map((match) => ({ ...match, slots: match.slots.map((slot) => ({ ...slot, vaults: [...slot.vaults, ...away] })) }));
  const unnamed = opening.filter((slot) => matches.every((match) => !match.slots.includes(slot)));
  return [
    ...breaks(placed, outcomes.filter((outcome) => outcome.key && !broken.includes(outcome)), believed),
    ...matches.filter((match) => match.slots.length === 0).map(({ way }) => nothingOpened(way, unnamed)),
    ...(placed.declared ? unnamed.map(notNamed) : []),
    ...opening.flatMap((slot) => notEverywhere(slot, asked)),
  ];
}

interface Match {
  readonly way: WayIn;
  readonly slots: readonly PlacedSlot[];
}

const BY_PEOPLE: Readonly<Record<string, readonly string[]>> = {
  age: ['x25519', 'post-quantum'],
  passphrase: ['passphrase'],
  people: ['x25519', 'post-quantum', 'passphrase'],
};

/** Whether the way in may be what opens the slot. */
function fits(way: WayIn, slot: PlacedSlot): boolean {
  const kinds = BY_PEOPLE[way.kind];
  if (kinds !== undefined) return kinds.includes(slot.kind);
  if (way.kind !== slot.kind || slot.key === undefined) return false;
  if (way.key !== undefined) return way.key === slot.key || (replicated(way.key) !== undefined && replicated(way.key) === replicated(slot.key));
  return way.place === 'outside' || contradiction(way.place, slot.key) === undefined;
}

/** The ARN of a multi-Region key of AWS without its region: any of its replicas opens what another one locked. */
function replicated(key: string): string | undefined {
  return key.includes(':key/mrk-') ? key.replace(/^(aws-kms:arn:[^:]+:kms:)[^:]+/, '$1') : undefined;
}

/** The first level at which a key cannot stand where it is said to. */
function contradiction(said: FailureDomain, key: string): { readonly said: string; readonly found: string } | undefined {
  const found = comparable(domainOfKmsKey(key));
  for (const level of LEVELS.toReversed()) {
    const [a, b] = [said[level], found[level]];
    if (a === undefined || b === undefined || a === b || a === SPREAD || b === SPREAD) continue;
    if (level === 'region' && replicated(key) !== undefined) continue;
    return { said: `${level} ${a}`, found: `${level} ${b}` };
  }
  return undefined;
}

/** Losses that the promise covers, or would cover, and that are survived only on paper. */
function breaks({ topology }: PlacedPlan, survived: readonly Outcome[], matches: readonly Match[]): readonly SlotFinding[] {
  if (topology.outlives === undefined) return [];
  const findings: SlotFinding[] = [];
  for (const outcome of survived) {
    if (matches.some(({ way, slots }) => outcome.openers.kept.includes(way.name) && isLeft(slots, outcome.vaults.kept))) continue;
    const there = matches.filter(({ way, slots }) => outcome.openers.kept.includes(way.name) && slots.length > 0);
    const loss = outcome.losses.map(lossName).join(' and ');
    const lost = there.flatMap(({ slots }) => slots.filter(({ vaults }) => vaults.every((vault) => !outcome.vaults.kept.includes(vault)))).map(slotName);
    const why =
      there.length === 0
        ? `nothing that is left (${listed(outcome.openers.kept)}) opens a key slot: the vaults have none for it`
        : `of what is left (${listed(outcome.openers.kept)}) the key slots are lost with it: ${listed(lost)} ${lost.length === 1 ? 'is' : 'are'} in no other vault`;
    findings.push({ kind: 'breaks', text: `losing ${loss}: ${why}` });
  }
  return largestOnly(findings);
}

/** The outcomes come largest first: what is said of a cloud need not be said of everything in it. */
function largestOnly(findings: readonly SlotFinding[]): readonly SlotFinding[] {
  const seen = new Set<string>();
  return findings.filter(({ text }) => {
    const why = text.slice(text.indexOf(':'));
    if (seen.has(why)) return false;
    seen.add(why);
    return true;
  });
}

/**
 * Whether a slot that the way in opens is in a vault that is left. Which of several slots it opens nobody knows, unless one key
 * locks them all: so all of them must be.
 */
function isLeft(slots: readonly PlacedSlot[], kept: readonly string[]): boolean {
  const there = (slot: PlacedSlot): boolean => slot.vaults.some((vault) => kept.includes(vault));
  const keys = new Set(slots.map(({ key, id }) => key ?? id));
  return slots.length > 0 && (keys.size === 1 ? slots.some(there) : slots.every(there));
}

function nothingOpened(way: WayIn, unnamed: readonly PlacedSlot[]): SlotFinding {
  const said = way.place;
  const elsewhere = unnamed.flatMap(({ kind, key }) => {
    if (kind !== way.kind || key === undefined) return [];
    const differs = said === 'outside' || way.key !== undefined ? undefined : contradiction(said, key);
    return [differs === undefined ? `there is one for ${key}` : `there is one for ${key}, in ${differs.found}, and lifeboat.yaml says ${differs.said}`];
  });
  const [first] = elsewhere;
  const subject = way.kind === 'people' ? 'a passphrase or identity is taken for granted, and' : `${way.name} is named, and`;
  return { kind: 'nothing-opened', text: `${subject} no vault has a key slot that it opens: ${first ?? `it counts for nothing; \`lifeboat keys add ${ADD[way.kind] ?? '--recipient age1…'}\` makes one`}`, path: way.path };
}

const ADD: Readonly<Record<string, string>> = {
  age: '--recipient age1…',
  passphrase: '--new-passphrase-file FILE',
  'aws-kms': '--aws-kms ARN',
  'vault-transit': '--vault-transit https://HOST/ENGINE/KEY',
  'gcp-kms': '--gcp-kms projects/…',
  'azure-key-vault': '--azure-key-vault https://…',
};

function notNamed(slot: PlacedSlot): SlotFinding {
  return {
    kind: 'not-named',
    text: `key slot ${slotName(slot)} is opened by nothing that keys.openers names: name it under keys.openers to count on it (\`kind: ${kindName(slot.kind)}\`), or take it away: \`lifeboat keys remove ${slot.id.slice(0, SHOWN)}\``,
  };
}

function notEverywhere(slot: PlacedSlot, asked: readonly string[]): readonly SlotFinding[] {
  const lacking = asked.filter((vault) => !slot.vaults.includes(vault));
  if (lacking.length === 0) return [];
  return [{ kind: 'not-everywhere', text: `key slot ${slotName(slot)} is not in ${listed(lacking)}: \`lifeboat replicate\` copies it there` }];
}

/** `1a2b3c4d5e6f (age)`. */
function slotName({ id, kind, key }: PlacedSlot): string {
  return `${id.slice(0, SHOWN)} (${key ?? kindName(kind)})`;
}

function kindName(kind: string): string {
  return kind === 'x25519' || kind === 'post-quantum' ? 'age' : kind;
}
