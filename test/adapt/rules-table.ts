import { CATALOGUE } from '../../src/adapt/catalogue.ts';
import type { Rule } from '../../src/adapt/rule.ts';
import { WAVES } from '../../src/pipeline/restore/waves.ts';

/** The part of docs/drills.md that says what the code says. */
export function drillParts(): Readonly<Record<string, string>> {
  return { 'drill rules': table(['rule', 'of', 'fields', 'why'], (rule) => (rule.effect === 'drill' ? [fields(rule.fields), rule.why] : undefined)) };
}

/** The parts of docs/restore.md that say what the code says, as they must be there. */
export function generatedParts(): Readonly<Record<string, string>> {
  return {
    dropped: table(['rule', 'of', 'when', 'why'], (rule) => (rule.effect === 'drop' ? [rule.when, rule.why] : undefined)),
    changed: table(['rule', 'of', 'fields', 'why'], (rule) => (rule.effect === 'change' ? [fields(rule.fields), rule.why] : undefined)),
    aside: table(['rule', 'of', 'fields', 'why'], (rule) => (rule.effect === 'aside' ? [fields(rule.fields), rule.why] : undefined)),
    fills: table(['rule', 'of', 'fields', 'why'], (rule) => (rule.effect === 'fill' ? [fields(rule.paths.map((path) => path.join('.'))), rule.why] : undefined)),
    set: table(['rule', 'of', 'what', 'why'], (rule) => (rule.effect === 'set' ? [fields(rule.fields), rule.why] : undefined)),
    notes: table(['rule', 'of', 'when', 'the report says'], (rule) => (rule.effect === 'note' ? [rule.when, `${rule.advice}. ${rule.why}`] : undefined)),
    waves: ['| | wave | why here |', '| --- | --- | --- |', ...WAVES.map(({ name, why }, number) => `| ${number} | ${name} | ${why} |`)].join('\n'),
  };
}

function table(head: readonly string[], cells: (rule: Rule) => readonly [string, string] | undefined): string {
  const rows = CATALOGUE.flatMap((rule) => {
    const rest = cells(rule);
    return rest === undefined ? [] : [`| \`${rule.id}\` | ${rule.types.map((type) => (type === '*' ? 'everything' : `\`${type}\``)).join('<br>')} | ${rest.join(' | ')} |`];
  });
  return [`| ${head.join(' | ')} |`, `| ${head.map(() => '---').join(' | ')} |`, ...rows].join('\n');
}

function fields(list: readonly string[]): string {
  return list.map((field) => (/^[\w.[\]/\-@]+$/.test(field) ? `\`${field}\`` : field)).join('<br>');
}

/** `text` with the parts between `<!-- begin NAME -->` and `<!-- end NAME -->` replaced. */
export function withParts(text: string, parts: Readonly<Record<string, string>>): string {
  let result = text;
  for (const [name, part] of Object.entries(parts)) {
    const begin = `<!-- begin ${name} -->\n`;
    const end = `\n<!-- end ${name} -->`;
    const from = result.indexOf(begin);
    const to = result.indexOf(end, from);
    if (from < 0 || to < 0) throw new Error(`the page has no place for "${name}"`);
    result = result.slice(0, from + begin.length) + part + result.slice(to);
  }
  return result;
}
