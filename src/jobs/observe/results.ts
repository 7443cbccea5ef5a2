import { z } from 'zod';
import type { Json } from '../../repository/api.ts';

const seconds = z.number().optional().catch(undefined);
const count = z.number().optional().catch(undefined);

/** What jobs come to, as far as it is measured or told. What does not fit is absent: a result is for whoever asked. */
const resultSchema = z
  .object({
    ok: z.boolean().optional().catch(undefined),
    /** Of a backup: the point, of a restore and a drill too. */
    point: z.union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)]).optional().catch(undefined),
    covered: z.string().optional().catch(undefined),
    safe: z.boolean().optional().catch(undefined),
    absent: z.array(z.string()).optional().catch(undefined),
    objects: count,
    stats: z.object({ plaintextBytes: z.number(), storedBytes: z.number() }).optional().catch(undefined),
    bytes: count,
    findings: count,
    healed: count,
    seconds,
    dryRun: z.boolean().optional().catch(undefined),
    rto: z.object({ seconds }).optional().catch(undefined),
  })
  .catch({});

export type KnownResult = z.output<typeof resultSchema>;

export function knownResult(result: Json): KnownResult {
  return resultSchema.parse(result);
}

/** The single values of a result, for a line of a log. */
export function singleValues(result: Json): Readonly<Record<string, string | number | boolean>> {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return {};
  return Object.fromEntries(
    Object.entries(result as Readonly<Record<string, Json>>).flatMap(([name, value]) =>
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [[name, value]] : [],
    ),
  );
}
