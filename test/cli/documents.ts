import { z } from 'zod';

/** What `--json` prints, as docs/cli.md promises it: strict, so that nothing is renamed or appears unnoticed. */

const warning = z.strictObject({ kind: z.string(), message: z.string(), where: z.string().optional() });
const warnings = z.array(warning).optional();

export const errorDocument = z.strictObject({
  ok: z.literal(false),
  error: z.strictObject({
    code: z.string().regex(/^LB_[A-Z_]+$/),
    message: z.string(),
    where: z.string().optional(),
    hint: z.string().optional(),
    problems: z
      .array(z.strictObject({ line: z.int(), column: z.int(), length: z.int(), path: z.string(), message: z.string(), hint: z.string().optional() }))
      .optional(),
  }),
  warnings,
});

const header = z.strictObject({
  id: z.string(),
  site: z.string(),
  at: z.iso.datetime(),
  startedAt: z.iso.datetime(),
  committedAt: z.iso.datetime(),
  previous: z.array(z.strictObject({ id: z.string(), sha256: z.string() })),
  complete: z.boolean(),
  stats: z.strictObject({
    recordsTotal: z.int(),
    plaintextBytes: z.int(),
    newChunks: z.int(),
    newPlaintextBytes: z.int(),
    packs: z.int(),
    storedBytes: z.int(),
  }),
});

export const initDocument = z.strictObject({
  ok: z.literal(true),
  config: z.string(),
  files: z.array(z.strictObject({ path: z.string(), kind: z.enum(['config', 'write-key', 'identity']) })),
  vaults: z.array(z.strictObject({ name: z.string(), location: z.string(), created: z.boolean() })),
  repository: z.string().optional(),
  recipients: z.array(z.string()),
  warnings,
});

export const backupDocument = z.strictObject({
  ok: z.boolean(),
  plan: z.string(),
  point: header,
  objects: z.int(),
  seconds: z.number(),
  vaults: z.array(z.string()),
  copies: z.int(),
  safe: z.boolean(),
  absent: z.array(z.string()),
  behind: z.array(z.strictObject({ vault: z.string(), packs: z.int(), bytes: z.int() })),
  failed: z.array(z.strictObject({ vault: z.string(), code: z.string(), message: z.string() })),
  notExact: z.array(z.strictObject({ type: z.string(), fidelity: z.enum(['inconsistent', 'missing']), reason: z.string().optional() })),
  warnings,
});

const copy = z.strictObject({
  vault: z.string(),
  state: z.enum(['complete', 'partial', 'damaged']),
  missing: z.int().optional(),
  problem: z.string().optional(),
});

export const pointsDocument = z.strictObject({
  ok: z.boolean(),
  points: z.array(
    z.strictObject({
      id: z.string(),
      site: z.string(),
      vaults: z.array(z.string()),
      copies: z.array(copy),
      safe: z.boolean().optional(),
      header: header.optional(),
      problem: z.string().optional(),
    }),
  ),
  verified: z.array(z.strictObject({ vault: z.string(), last: z.iso.datetime().optional(), full: z.iso.datetime().optional(), problem: z.string().optional() })),
  warnings,
});

export const replicateDocument = z.strictObject({
  ok: z.boolean(),
  dryRun: z.boolean(),
  unopened: z.array(z.string()),
  runs: z.array(
    z.strictObject({
      plans: z.array(z.string()),
      repository: z.string(),
      vaults: z.array(
        z.strictObject({
          name: z.string(),
          state: z.enum(['level', 'behind', 'failed']),
          lacked: z.strictObject({ points: z.int(), packs: z.int(), bytes: z.int() }),
          copied: z.strictObject({ points: z.int(), packs: z.int(), objects: z.int(), bytes: z.int() }),
          failure: z.strictObject({ code: z.string(), message: z.string() }).optional(),
        }),
      ),
      problems: z.array(z.strictObject({ vault: z.string(), object: z.string(), kind: z.enum(['missing', 'damaged', 'forged', 'unreadable']), message: z.string() })),
      moreProblems: z.int(),
    }),
  ),
  warnings,
});

export const showDocument = z.strictObject({
  ok: z.literal(true),
  point: header,
  vaults: z.array(z.string()),
  summary: z.looseObject({ revision: z.string(), clusterUid: z.string(), kubernetesVersion: z.string(), types: z.array(z.looseObject({ resource: z.string(), count: z.int() })) }),
  warnings,
});

export const objectsDocument = z.strictObject({
  ok: z.literal(true),
  point: z.string(),
  objects: z.array(z.strictObject({ type: z.string(), namespace: z.string().optional(), name: z.string() })),
  warnings,
});

export const verifyDocument = z.strictObject({
  ok: z.boolean(),
  vaults: z.array(
    z.strictObject({
      name: z.string(),
      objects: z.int(),
      bytesRead: z.int(),
      points: z.int(),
      intactPoints: z.int(),
      lastVerified: z.iso.datetime().optional(),
      fullyVerified: z.iso.datetime().optional(),
    }),
  ),
  findings: z.array(z.strictObject({ vault: z.string(), object: z.string(), kind: z.string(), message: z.string(), points: z.array(z.string()) })),
  unreferenced: z.int(),
  depth: z.enum(['structure', 'data', 'data-opened']),
  data: z.strictObject({ objects: z.int(), totalObjects: z.int(), bytes: z.int(), totalBytes: z.int() }).optional(),
  repairs: z
    .array(
      z.strictObject({
        vault: z.string(),
        object: z.string(),
        outcome: z.enum(['healed', 'possible', 'lost', 'kept', 'waiting', 'failed']),
        from: z.string().optional(),
        message: z.string().optional(),
        points: z.array(z.string()),
      }),
    )
    .optional(),
  seconds: z.number(),
  unopened: z.array(z.string()),
  warnings,
});

export const planDocument = z.strictObject({
  ok: z.boolean(),
  plan: z.looseObject({
    types: z.array(z.looseObject({ kind: z.string() })),
    entries: z.array(z.looseObject({ type: z.int(), namespace: z.string(), name: z.string(), action: z.string() })),
    digest: z.string(),
  }),
  warnings,
});

export const restoreDocument = z.looseObject({
  ok: z.boolean(),
  source: z.string(),
  target: z.string(),
  seconds: z.number(),
  phases: z.array(z.strictObject({ name: z.string(), seconds: z.number() })),
  objects: z.record(z.string(), z.int()),
  failures: z.array(z.strictObject({ object: z.string(), outcome: z.string(), reason: z.string() })),
  kept: z.array(z.strictObject({ object: z.string(), outcome: z.literal('kept'), reason: z.string() })),
  verify: z.looseObject({ checked: z.int(), different: z.int(), missing: z.int() }),
});

export const diffDocument = z.looseObject({
  ok: z.boolean(),
  equal: z.boolean(),
  same: z.int(),
  added: z.int(),
  removed: z.int(),
  changed: z.int(),
  objects: z.array(z.looseObject({ object: z.string(), change: z.enum(['added', 'removed', 'changed']) })),
});

export const doctorDocument = z.strictObject({
  ok: z.boolean(),
  findings: z.array(
    z.strictObject({ subject: z.string(), check: z.string(), status: z.enum(['ok', 'warn', 'fail']), message: z.string(), fix: z.string().optional() }),
  ),
  warnings,
});

export const slotsDocument = z.strictObject({
  ok: z.literal(true),
  slots: z.array(
    z.strictObject({
      id: z.string(),
      kind: z.string(),
      role: z.string(),
      key: z.string().optional(),
      keyVersion: z.string().optional(),
      vaults: z.array(z.string()),
      size: z.int(),
    }),
  ),
  warnings,
});

const slotChange = z.strictObject({ id: z.string(), vaults: z.array(z.string()), failed: z.array(z.unknown()) });
export const rotatedDocument = z.strictObject({
  ok: z.boolean(),
  rotated: z.array(z.strictObject({ slot: z.string(), key: z.string(), successor: slotChange.optional(), kept: z.string().optional() })),
  warnings,
});
