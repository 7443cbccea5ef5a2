import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { LifeboatError } from '../../src/core/errors.ts';
import { parseSecretArn } from '../../src/functions/secrets/arn.ts';

/** A variable, or a file below /tmp. */
const place = z.string().regex(/^(?:[A-Za-z_]\w*|\/tmp\/(?!.*\.\.)[\w./-]+)$/, 'is neither the name of a variable nor a file below /tmp');

const arn = z.string().refine((text) => isSecretArn(text), 'is not the ARN of a secret or parameter');

function isSecretArn(text: string): boolean {
  try {
    return parseSecretArn(text).arn === text;
  } catch {
    return false;
  }
}

const settingsSchema = z.strictObject({
  /** Where the secrets are that lifeboat.yaml names by variables or files: never the secrets themselves. */
  secrets: z.record(place, arn).default({}),
  /** The keys of KMS that these secrets are encrypted with, where it is not the account's default key. */
  secretKeys: z.array(z.string().regex(/^arn:aws[\w-]*:kms:/, 'is not the ARN of a key')).default([]),
  /** The network that the queue is in. Without it, functions are outside of any. */
  vpc: z.strictObject({ subnets: z.array(z.string().min(1)).min(1), securityGroups: z.array(z.string().min(1)).min(1) }).exactOptional(),
  work: z
    .strictObject({
      /** How many may work at once. */
      concurrency: z.int().min(1).default(2),
      /** MiB; the processor comes with it: 1769 is one. */
      memory: z.int().min(512).max(10_240).default(1769),
      /** Seconds that one call may take. */
      seconds: z.int().min(60).max(900).default(900),
      /** MiB below /tmp. */
      storage: z.int().min(512).max(10_240).default(512),
    })
    .prefault({}),
  alarms: z.strictObject({ email: z.email().exactOptional() }).prefault({}),
  logDays: z.int().default(30),
});

/** How lifeboat is deployed on AWS: `lifeboat.aws.yaml`. */
export type AwsSettings = z.output<typeof settingsSchema>;

/** Reads `lifeboat.aws.yaml`; without one, all is as by default. Throws `LB_CONFIG_INVALID`. */
export async function readSettings(file: string): Promise<AwsSettings> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  });
  const parsed = settingsSchema.safeParse(parse(text) ?? {});
  if (parsed.success) return parsed.data;
  throw new LifeboatError('LB_CONFIG_INVALID', `${file} has a mistake: ${parsed.error.issues.map(({ path, message }) => `\`${path.join('.')}\` ${message}`).join('; ')}`, {
    where: file,
    hint: 'docs/functions.md says what it may hold.',
  });
}
