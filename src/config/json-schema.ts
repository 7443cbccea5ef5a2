import { z } from 'zod';
import { configSchema } from './schema.ts';

/** The parts of JSON Schema that zod writes for lifeboat.yaml. */
export interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** The JSON Schema (2020-12) of lifeboat.yaml, as published in lifeboat.schema.json. */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema, { io: 'input' });
  return { title: 'lifeboat.yaml', ...schema } as JsonSchema;
}

/**
 * The schemas that may hold at `path` in `document`: several where it is a choice.
 * A choice is narrowed to the variants whose constant fields (`type: s3`) fit what is written there.
 */
export function schemasAt(root: JsonSchema, path: readonly (string | number)[], document: unknown): readonly JsonSchema[] {
  let schemas = variants([root], document);
  let value = document;
  for (const step of path) {
    value = child(value, step);
    schemas = variants(schemas.flatMap((schema) => below(schema, step)), value);
  }
  return schemas;
}

function below(schema: JsonSchema, step: string | number): readonly JsonSchema[] {
  if (typeof step === 'number') return schema.items === undefined ? [] : [schema.items];
  const properties = schema.properties;
  if (properties !== undefined && Object.hasOwn(properties, step)) return properties[step] === undefined ? [] : [properties[step]];
  return typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : [];
}

function variants(schemas: readonly JsonSchema[], value: unknown): readonly JsonSchema[] {
  const all = schemas.flatMap((schema) => schema.oneOf ?? schema.anyOf ?? [schema]);
  const fitting = all.filter((schema) => constantsFit(schema, value));
  return fitting.length > 0 ? fitting : all;
}

function constantsFit(schema: JsonSchema, value: unknown): boolean {
  return Object.entries(schema.properties ?? {}).every(
    ([name, property]) => property.const === undefined || child(value, name) === property.const,
  );
}

/** The value of a field or element; undefined when there is none. */
export function child(value: unknown, step: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
  return (value as Record<string | number, unknown>)[step];
}
