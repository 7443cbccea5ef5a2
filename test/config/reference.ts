import type { JsonSchema } from '../../src/config/json-schema.ts';

/** The reference part of docs/configuration.md: every field, from the schema's own descriptions. */
export function configReference(schema: JsonSchema): string {
  const sections: string[] = [];
  const shown: Shown = new Map();
  for (const [name, section] of Object.entries(schema.properties ?? {})) {
    sections.push(`### \`${name}\`\n\n${section.description ?? ''}`);
    const inner = typeof section.additionalProperties === 'object' ? section.additionalProperties : section;
    sections.push(...tables(inner, typeof section.additionalProperties === 'object' ? `${name}.<name>` : name, shown));
  }
  return sections.join('\n\n');
}

/** Groups that were described already, and under which path: the same group is described once. */
type Shown = Map<string, string>;

function tables(schema: JsonSchema, path: string, shown: Shown): string[] {
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants !== undefined) return variants.flatMap((variant) => tables(variant, path, shown));
  const properties = Object.entries(schema.properties ?? {});
  if (properties.length === 0) return [];
  const constant = properties.find(([, one]) => one.const !== undefined);
  const title = constant === undefined ? `\`${path}\`` : `\`${path}\` with \`${constant[0]}: ${JSON.stringify(constant[1].const).replaceAll('"', '')}\``;
  const rows = properties.map(([name, one]) => {
    const required = schema.required?.includes(name) === true ? 'yes' : '';
    return `| \`${name}\` | ${kind(one, shown)} | ${required} | ${one.description ?? ''} |`;
  });
  const table = ['| field | is | required | |', '| --- | --- | --- | --- |', ...rows].join('\n');
  const below = properties.flatMap(([name, one]) => {
    const group = isGroup(one) ? one : one.items;
    if (group === undefined || !isGroup(group) || shown.has(JSON.stringify(group))) return [];
    const inner = `${path}.${name}${group === one ? '' : '[]'}`;
    shown.set(JSON.stringify(group), inner);
    return tables(group, inner, shown);
  });
  // A section's own description stands under its heading already.
  const intro = schema.description === undefined || !path.includes('.') ? [] : [schema.description];
  return [`#### ${title}`, ...intro, table, ...below];
}

function isGroup(schema: JsonSchema): boolean {
  return schema.properties !== undefined || schema.oneOf !== undefined || schema.anyOf !== undefined;
}

function kind(schema: JsonSchema, shown: Shown): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const).replaceAll('"', '')}\``;
  if (isGroup(schema)) {
    const before = shown.get(JSON.stringify(schema));
    return before === undefined ? 'group, see below' : `group, as \`${before}\``;
  }
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.type === 'array') {
    if (schema.items === undefined || !isGroup(schema.items)) return 'list of texts';
    return `list of ${kind(schema.items, shown).replace(/^group/, 'groups')}`;
  }
  if (schema.type === 'integer') return 'whole number';
  if (schema.type === 'boolean') return '`true` or `false`';
  return schema.type === 'string' ? 'text' : (schema.type ?? '');
}
