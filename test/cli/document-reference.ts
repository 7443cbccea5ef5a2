import { z } from 'zod';

/** The parts of JSON Schema that zod writes for the documents. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: string | number | boolean;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** The reference part of docs/json.md: every document, member by member, and then the groups that several of them have. */
export function documentReference(documents: Readonly<Record<string, z.ZodType>>): string {
  const shared = new Map<string, Schema>();
  const sections = Object.entries(documents).map(([title, document]) => {
    const schema = z.toJSONSchema(document) as Schema;
    for (const [id, one] of Object.entries(schema.$defs ?? {})) shared.set(id, one);
    return `### ${title}\n\n${table(schema)}`;
  });
  const groups = [...shared].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([id, schema]) => `#### ${capital(id)}\n\n${table(schema)}`);
  return [...sections, '### Groups that several documents have', ...groups].join('\n\n');
}

/** One document, member by member. */
export function documentTable(document: z.ZodType): string {
  return table(z.toJSONSchema(document) as Schema);
}

/** Paths of members that have no description, by document. */
export function undescribed(documents: Readonly<Record<string, z.ZodType>>): readonly string[] {
  return Object.entries(documents).flatMap(([title, document]) => {
    const schema = z.toJSONSchema(document) as Schema;
    const parts = [schema, ...Object.values(schema.$defs ?? {})];
    return parts.flatMap((part) => members(part, '')).flatMap(({ path, schema: one }) => (one.description === undefined ? [`${title}: ${path}`] : []));
  });
}

interface Member {
  readonly path: string;
  readonly optional: boolean;
  readonly schema: Schema;
}

function table(schema: Schema): string {
  const rows = members(schema, '').map(({ path, optional, schema: one }) => `| \`${path}${optional ? '?' : ''}\` | ${kind(one)} | ${one.description ?? ''} |`);
  return ['| member | is | |', '| --- | --- | --- |', ...rows].join('\n');
}

/** The members of a group and all that is in them. Where there are several kinds of it, a member that not all have is optional. */
function members(schema: Schema, before: string): Member[] {
  const variants = (schema.anyOf ?? [schema]).filter((variant) => variant.properties !== undefined);
  const names = new Set(variants.flatMap((variant) => Object.keys(variant.properties ?? {})));
  return [...names].flatMap((name) => {
    const having = variants.filter((variant) => variant.properties?.[name] !== undefined);
    const one = having[0]?.properties?.[name] ?? {};
    const optional = having.length < variants.length || having.some(({ required }) => required?.includes(name) !== true);
    const path = `${before}${name}`;
    return [{ path, optional, schema: one }, ...inside(one, path)];
  });
}

function inside(schema: Schema, path: string): Member[] {
  if (schema.items !== undefined) return inside(schema.items, `${path}[]`);
  return members(schema, `${path}.`);
}

function kind(schema: Schema): string {
  if (schema.$ref !== undefined) return linked(schema.$ref);
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(kind))].join(' or ');
  if (schema.items !== undefined) return `list of ${plural(kind(schema.items))}`;
  if (schema.properties !== undefined) return 'group';
  if (typeof schema.additionalProperties === 'object') return schema.additionalProperties.type === undefined ? 'object' : `${plural(kind(schema.additionalProperties))} by name`;
  if (schema.format === 'date-time') return 'time';
  return [schema.type ?? []].flat().map((type) => KINDS[type] ?? type).join(' or ');
}

const KINDS: Readonly<Record<string, string>> = { string: 'text', integer: 'whole number', number: 'number', boolean: '`true` or `false`', null: '`null`' };

function plural(one: string): string {
  if (one.startsWith('[')) return one;
  if (one.startsWith('`')) return `texts: ${one}`;
  return one.startsWith('list of ') ? one.replace('list', 'lists') : `${one}s`;
}

/** `#/$defs/header%20of%20a%20point`, as a link to the heading of the group. */
function linked(reference: string): string {
  const id = decodeURIComponent(reference.slice(reference.lastIndexOf('/') + 1));
  return `[${id}](#${id.replaceAll(' ', '-')})`;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
