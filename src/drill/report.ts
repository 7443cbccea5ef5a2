import { z } from 'zod';
import { OUTCOMES } from '../pipeline/restore/results.ts';
import type { ReportKind } from '../repository/index.ts';

const count = z.int().min(0);
const seconds = z.number().min(0);
const time = z.iso.datetime();
const VERDICTS = ['met', 'missed', 'unknown'] as const;

const findingSchema = z.object({
  /** `Deployment shop/web`; `''` where it is about no single object. */
  object: z.string(),
  message: z.string(),
  /** False for what is worth knowing and no failure. */
  failure: z.boolean(),
});

const checkSchema = z.object({
  /** Stable, kebab-case: docs/drills.md; `custom` for those of the plan. */
  id: z.string(),
  title: z.string(),
  outcome: z.enum(['passed', 'failed', 'skipped']),
  /** What was looked at: objects, or 1 for a command or request. */
  checked: count,
  /** Findings that are failures, all of them counted. */
  failures: count,
  /** The first of all findings. */
  findings: z.array(findingSchema),
  /** Why it was skipped. */
  reason: z.string().optional(),
  /** The end of what a command or server said, without secrets. */
  output: z.string().optional(),
  seconds,
});

const phaseSchema = z.object({
  /** `start`, `load`, `discover`, `plan`, `apply`, `verify`, `checks`. */
  name: z.string(),
  seconds,
  /** The waves of `apply`. */
  parts: z.array(z.object({ name: z.string(), seconds, objects: count })).optional(),
});

const ageSchema = z.object({ p50: seconds, p95: seconds, p99: seconds, max: seconds, mean: seconds });

/** A drill as it is kept: what was restored, what was checked, what was measured, and what was not. docs/drills.md. */
export const drillReportSchema = z.object({
  /** Id of the repository. */
  repository: z.string(),
  plan: z.string(),
  site: z.string(),
  startedAt: time,
  /** When it ended. */
  at: time,
  /** Everything that was checked passed, and no objective was missed. */
  ok: z.boolean(),
  point: z.object({
    id: z.string(),
    /** The moment it shows, and when it was committed. */
    at: time,
    committedAt: time,
    chosen: z.enum(['newest', 'random', 'named']),
    safe: z.boolean(),
    /** Everything that the site had could be read when it was made. */
    complete: z.boolean(),
    /** Vaults in which it is whole, and how many of them it takes to be safe. */
    vaults: z.array(z.string()),
    copies: z.int().min(1),
  }),
  cluster: z.object({
    kind: z.enum(['control-plane', 'site']),
    name: z.string(),
    kubernetesVersion: z.string(),
    /** Parts of a cluster that did not run. */
    notRun: z.array(z.string()),
    /** It is gone, or what the drill created in it is. */
    removed: z.boolean(),
  }),
  restore: z
    .object({
      /** SHA-256 of the restore plan that was carried out. */
      plan: z.string(),
      outcomes: z.record(z.enum(OUTCOMES), count),
      /** Objects by the rule that changed or dropped them: docs/restore.md, docs/drills.md. */
      rules: z.record(z.string(), count),
    })
    .optional(),
  /** What ended the drill before its checks were done. */
  failure: z.object({ phase: z.string(), code: z.string(), message: z.string() }).optional(),
  checks: z.array(checkSchema),
  /** In words: what no drill of this kind can show. */
  notChecked: z.array(z.string()),
  rto: z.object({
    /** From the first moment to the end of the checks; absent when they were not reached. */
    seconds: seconds.optional(),
    objectiveSeconds: seconds.optional(),
    verdict: z.enum(VERDICTS),
    phases: z.array(phaseSchema),
  }),
  rpo: z.object({
    /** The time looked at: since the drill before, or the first point. */
    from: time,
    to: time,
    objectiveSeconds: seconds.optional(),
    verdict: z.enum(VERDICTS),
    /** Safe points that were looked at, and those of them of which only the id is known any more. */
    points: count,
    estimated: count,
    /** Age of the newest safe point when the drill began; absent when there was none. */
    nowSeconds: seconds.optional(),
    /** Its age over the time that was looked at; absent when there never was one. */
    age: ageSchema.optional(),
    /** How long it was older than the objective. */
    overSeconds: seconds.optional(),
    /** How long there was no safe point. */
    withoutSeconds: seconds,
    /** Corners of the line that the age draws over time; `null`: there is none from here on. */
    curve: z.array(z.object({ at: time, ageSeconds: seconds.nullable() })),
  }),
  warnings: z.array(z.object({ kind: z.string(), message: z.string(), where: z.string().optional() })),
});

export type DrillReport = z.output<typeof drillReportSchema>;
export type CheckResult = z.output<typeof checkSchema>;
export type Finding = z.output<typeof findingSchema>;
export type PhaseTime = z.output<typeof phaseSchema>;
export type Verdict = (typeof VERDICTS)[number];

/** Reports of drills, as they are kept in vaults: `reports/drill/<time>-<sha256>`. */
export const DRILL_REPORTS = { name: 'drill', format: 'lifeboat-drill-report', purpose: 'lifeboat/1/drill', schema: drillReportSchema } as const satisfies ReportKind<typeof drillReportSchema>;
