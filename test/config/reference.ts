import type { JsonSchema } from '../../src/config/json-schema.ts';

/** The reference part of docs/configuration.md: every field, from the schema's own descriptions. */
export function configReference(schema: JsonSchema): string {
  const sections: string[] = [];
  for (const [name, section] of Object.entries(schema.properties ?? {})) {
    sections.push(`### \`${name}\`\n\n${section.description ?? ''}`);
    const inner = typeof section.additionalProperties === 'object' ? section.additionalProperties : section;
    sections.push(...tables(inner, typeof section.additionalProperties === 'object' ? `${name}.<name>` : name));
  }
  return sections.join('\n\n');
}

function tables(schema: JsonSchema, path: string): string[] {
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants !== undefined) return variants.flatMap((variant) => tables(variant, path));
  const properties = Object.entries(schema.properties ?? {});
  if (properties.length === 0) return [];
  const constant = properties.find(([, one]) => one.const !== undefined);
  const title = constant === undefined ? `\`${path}\`` : `\`${path}\` with \`${constant[0]}: ${JSON.stringify(constant[1].const).replaceAll('"', '')}\``;
  const rows = properties.map(([name, one]) => {
    const required = schema.required?.includes(name) === true ? 'yes' : '';
    return `| \`${name}\` | ${kind(one)} | ${required} | ${one.description ?? ''} |`;
  });
  const table = ['| field | is | required | |', '| --- | --- | --- | --- |', ...rows].join('\n');
  const below = properties.flatMap(([name, one]) => (isGroup(one) ? tables(one, `${path}.${name}`) : []));
  // A section's own description stands under its heading already.
  const intro = schema.description === undefined || !path.includes('.') ? [] : [schema.description];
  return [`#### ${title}`, ...intro, table, ...below];
}

function isGroup(schema: JsonSchema): boolean {
  return schema.properties !== undefined || schema.oneOf !== undefined || schema.anyOf !== undefined;
}

function kind(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const).replaceAll('"', '')}\``;
  if (isGroup(schema)) return 'group, see below';
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(' or ');
  if (schema.type === 'array') return 'list of texts';
  if (schema.type === 'boolean') return '`true` or `false`';
  return schema.type === 'string' ? 'text' : (schema.type ?? '');
}
