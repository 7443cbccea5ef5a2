import { SPREAD } from '../../core/failure-domain.ts';
import type { FailureDomain } from '../../core/failure-domain.ts';
import { drawback, isConditional } from '../../placement/change.ts';
import { coveredLevels, lossName } from '../../placement/loss.ts';
import type { Hit } from '../../placement/loss.ts';
import { aLevel, changeText, reasonsOf } from '../../placement/reasons.ts';
import { fatalPairs } from '../../placement/survival.ts';
import type { Outcome } from '../../placement/survival.ts';
import type { Standing, Topology } from '../../placement/topology.ts';
import { standsIn, whereIs, whereToChange } from '../../placement/where.ts';
import type { Style } from '../style.ts';
import { formatTable, plural } from '../text.ts';
import type { Shown } from './document.ts';

/** The plan for people: what it promises, where things stand, what each loss leaves, and what to do. */
export function placementText(shown: Shown, style: Style): string {
  return [headline(shown, style), standings(shown), odd(shown, style), matrix(shown, style), pairs(shown), trouble(shown, style), slots(shown, style), unsure(shown)]
    .filter((part) => part !== '')
    .join('\n\n');
}

function headline({ plan, config, placed, assessment }: Shown, style: Style): string {
  const { site, outlives, copies, vaults } = placed.topology;
  const { holds, strongest } = assessment;
  const safe = `a point is safe when ${copies} of ${vaults.length} ${vaults.length === 1 ? 'vault' : 'vaults'} ${copies === 1 ? 'holds' : 'hold'} it`;
  const where = style.dim(`(${config.lineOf(['plans', plan])})`);
  const unknown = [site, ...vaults].some(({ place }) => place !== 'outside' && place.cloud === undefined);
  const could = strongest === undefined ? `it could promise to outlive nothing${unknown ? ', until sites and vaults are given a `domain`' : ''}` : `it could promise to outlive ${aLevel(strongest)}`;
  if (outlives === undefined) return `plan ${style.bold(plan)} ${where}: promises nothing (no \`outlives\`); as it stands ${could}\n  ${safe}`;
  const verdict = holds === true ? style.green('and does') : style.red('and DOES NOT');
  const more = strongest === outlives ? '' : `; ${could}`;
  return `plan ${style.bold(plan)} ${where}: promises to outlive ${aLevel(outlives)}, ${verdict}${more}\n  ${safe}`;
}

function standings({ placed }: Shown): string {
  const { site, control, vaults, openers } = placed.topology;
  const row = (what: string, { name, place }: Standing): readonly string[] =>
    place === 'outside' ? [what, name, 'outside every domain'] : [what, name, ...COLUMNS.map((level) => shownName(place[level]))];
  const rows = [
    row('site', site),
    ...(control === undefined ? [] : [row('control', { ...control, name: '' })]),
    ...vaults.map((vault) => row('vault', vault)),
    ...openers.map((opener) => row('key', opener)),
  ];
  return formatTable([{ title: '' }, { title: 'name' }, ...COLUMNS.map((title) => ({ title }))], rows);
}

const COLUMNS = ['cloud', 'account', 'region', 'zone'] as const satisfies readonly (keyof FailureDomain)[];

function shownName(name: string | undefined): string {
  return name === undefined ? '?' : name === SPREAD ? 'several' : name;
}

function matrix({ placed, assessment }: Shown, style: Style): string {
  return lossTable(placed.topology, assessment.outcomes, style);
}

/** What losses take and leave. */
export function lossTable({ copies, openers, control, outlives }: Topology, outcomes: readonly Outcome[], style: Style): string {
  const covered = outlives === undefined ? [] : coveredLevels(outlives);
  const rows = outcomes.map((outcome) => {
    const level = outcome.losses[0]?.level;
    const promised = level !== undefined && covered.includes(level);
    const verdict = outcome.survives ? style.green('survives') : promised ? style.red('LOST, though promised') : style.yellow('lost');
    return [
      outcome.losses.map(lossName).join(' and '),
      takenText(outcome),
      `${outcome.copiesLeft} of ${copies}`,
      `${outcome.openers.kept.length} of ${openers.length}`,
      control === undefined ? 'not given' : CONTROL[outcome.control ?? 'no'],
      verdict,
    ];
  });
  return formatTable([{ title: 'loss of' }, { title: 'takes' }, { title: 'points' }, { title: 'keys' }, { title: 'control' }, { title: 'verdict' }], rows);
}

const CONTROL: Readonly<Record<Hit, string>> = { no: 'stays', perhaps: 'may be lost', yes: 'lost' };

function takenText({ site, vaults, openers }: Outcome): string {
  const names = [
    ...(site === 'no' ? [] : [site === 'yes' ? 'the site' : 'the site?']),
    ...vaults.lost,
    ...vaults.doubtful.map((name) => `${name}?`),
    ...openers.lost,
    ...openers.doubtful.map((name) => `${name}?`),
  ];
  return names.length === 0 ? 'control only' : names.join(', ');
}

/** What of two domains at once, of the largest level of which any one is survived. */
function pairs({ placed, assessment }: Shown): string {
  const level = assessment.strongest;
  if (level === undefined || assessment.outcomes.filter(({ losses }) => losses[0]?.level === level).length < 2) return '';
  const [first, ...more] = fatalPairs(placed.topology, level);
  if (first === undefined) return `  any two ${level}s at once are survived`;
  return `  two ${level}s at once can be too much: ${first.losses.map(lossName).join(' with ')}${more.length === 0 ? '' : `, and ${plural(more.length, 'other pair')}`}`;
}

function odd({ placed }: Shown, style: Style): string {
  if (placed.mistyped.length === 0) return '';
  return [style.bold('Looks mistyped, and does not count as it is written:'), ...placed.mistyped.map((text) => `  - ${text}`)].join('\n');
}

function trouble({ plan, config, placed, assessment, nearest }: Shown, style: Style): string {
  if (assessment.holds !== false) return '';
  const { topology } = placed;
  const reasons = reasonsOf(assessment.broken, topology).map(({ text, losses, takes }) => {
    const rows = takes.map((thing) => [thing.of === 'site' ? `site ${thing.name}` : thing.name, losses.map((loss) => standsIn(placed, thing, loss)).join(' '), whereIs(config, placed, thing)]);
    const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    return [`  - ${text}`, ...rows.map((row) => style.dim(`      ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`))].join('\n');
  });
  const proposals = nearest.map((proposal, index) => {
    const title = index > 0 ? 'Or, whatever turns out:' : isConditional(proposal) ? 'The nearest plan that may keep it:' : 'The nearest plan that keeps it:';
    const caveat = drawback(proposal, topology);
    const changes = proposal.map((change) => `  - ${changeText(change, plan, topology)} ${style.dim(`(${whereToChange(config, placed, plan, change)})`)}`);
    return [style.bold(title), ...changes, ...(caveat === undefined ? [] : [`  ${caveat}`])].join('\n');
  });
  return [[style.bold('Why not:'), ...reasons].join('\n'), ...proposals].join('\n\n');
}

/** The key slots in the vaults against what lifeboat.yaml says of them. */
function slots({ config, slots: compared }: Shown, style: Style): string {
  const title = style.bold('Key slots in the vaults');
  if ('unknown' in compared) return `${title}: not compared with lifeboat.yaml: ${compared.unknown}`;
  const { found, findings, silent } = compared;
  const rows = found.map(({ id, key, kind, role, vaults }) => [id.slice(0, 12), key ?? SLOT_KINDS[kind] ?? kind, role === 'owner' ? 'everything' : role, vaults.join(', ')]);
  const lines = findings.map(({ kind, text, path }) => {
    const where = path === undefined ? '' : ` ${style.dim(`(${config.lineOf(path)})`)}`;
    return `  - ${kind === 'breaks' ? style.red(`BREAKS THE PROMISE: ${text}`) : text}${where}`;
  });
  const unasked = silent.map(({ vault, problem }) => `  - vault ${vault} could not be asked: ${problem}`);
  const verdict = lines.length + unasked.length === 0 ? ': as lifeboat.yaml says, in every vault' : ':';
  if (found.length === 0) return [`${title}: none`, ...lines, ...unasked].join('\n');
  return [`${title}${verdict}`, ...lines, ...unasked, formatTable([{ title: 'slot' }, { title: 'opened by' }, { title: 'holds' }, { title: 'vaults' }], rows)].join('\n');
}

const SLOT_KINDS: Readonly<Record<string, string>> = { passphrase: 'a passphrase', x25519: 'an age identity', 'post-quantum': 'an age identity' };

function unsure({ doubts }: Shown): string {
  return doubts.length === 0 ? '' : ['Good to know:', ...doubts.map((doubt) => `  - ${doubt}`)].join('\n');
}
