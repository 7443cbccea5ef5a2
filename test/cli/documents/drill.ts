import { z } from 'zod';
import { flag, int, number, ok, text, texts, time, warning, warnings } from './parts.ts';

const verdict = z.enum(['met', 'missed', 'unknown']).describe('`unknown`: the plan has no such objective.');

const point = z
  .strictObject({
    id: text('Its id.'),
    at: time('The moment that it shows.'),
    committedAt: time('When it was there.'),
    chosen: z.enum(['newest', 'random', 'named']).describe('How it was chosen.'),
    safe: flag('It is whole in as many vaults as it takes.'),
    complete: flag('Everything that the site had could be read when it was made.'),
    vaults: texts('Vaults of the plan in which it is whole.'),
    copies: int('How many of them it takes.'),
  })
  .meta({ id: 'point of a drill' });

const age = z.strictObject({
  p50: number('Half of the time it was at most so old.'),
  p95: number('95% of the time.'),
  p99: number('99% of the time.'),
  max: number('All the time.'),
  mean: number('On average.'),
});

const rpo = z
  .strictObject({
    from: time('The time that was looked at: since the drill before, or the first point.'),
    to: time('Until when.'),
    objectiveSeconds: number('`objectives.rpo` of the plan.').optional(),
    verdict,
    points: int('Safe points that were looked at.'),
    estimated: int('Those of them of which only the id is known any more.'),
    nowSeconds: number('Age of the newest safe point when the drill began; absent when there was none.').optional(),
    age: age.describe('Its age over the time that was looked at, in seconds; absent when there never was one.').optional(),
    overSeconds: number('How long it was older than the objective.').optional(),
    withoutSeconds: number('How long there was no safe point.'),
    curve: z.array(z.strictObject({ at: time('When.'), ageSeconds: z.number().nullable().describe('How old.') })).describe('Corners of the line that the age draws; `null`: there is no safe point from here on.'),
  })
  .meta({ id: 'recovery point of a drill' });

const report = z
  .strictObject({
    repository: text('Id of the repository.'),
    plan: text('The plan.'),
    site: text('Its site.'),
    startedAt: time('When the drill began.'),
    at: time('When it ended.'),
    ok: flag('Every check passed, and no objective was missed.'),
    point: point.describe('What was restored.'),
    cluster: z
      .strictObject({
        kind: z.enum(['control-plane', 'site']).describe('One of the drill’s own, or a spare site.'),
        name: text('Its name.'),
        kubernetesVersion: text('Its version.'),
        notRun: texts('Parts of a cluster that did not run.'),
        removed: flag('It, or what the drill created in it, was gone when the report was written.'),
      })
      .describe('Where to.'),
    restore: z
      .strictObject({
        plan: text('Digest of the restore plan.'),
        outcomes: z.record(z.string(), z.int()).describe('Objects by outcome: docs/restore.md.'),
        rules: z.record(z.string(), z.int()).describe('Objects by the rule that changed or dropped them: docs/restore.md, docs/drills.md.'),
      })
      .describe('What became of it; absent when it ended before.')
      .optional(),
    failure: z
      .strictObject({ phase: text('In which phase.'), code: text('As in docs/errors.md.'), message: text('For people.') })
      .describe('What ended the drill before its checks were done.')
      .optional(),
    checks: z
      .array(
        z.strictObject({
          id: text('docs/drills.md explains each; `custom` for those of the plan.'),
          title: text('What is true when it passes.'),
          outcome: z.enum(['passed', 'failed', 'skipped']).describe('What came of it.'),
          checked: int('What was looked at.'),
          failures: int('Findings that are failures.'),
          findings: z.array(z.strictObject({ object: text('`Deployment shop/web`, or nothing.'), message: text('For people.'), failure: flag('False for what is only worth knowing.') })).describe('The first 100.'),
          reason: text('Why it was skipped.').optional(),
          output: text('The end of what a command or server said, without secrets.').optional(),
          seconds: number('How long it took.'),
        }),
      )
      .describe('Every check.'),
    notChecked: texts('What the drill does not show, in words.'),
    rto: z
      .strictObject({
        seconds: number('From nothing to a checked cluster; absent when that was not reached.').optional(),
        objectiveSeconds: number('`objectives.rto` of the plan.').optional(),
        verdict,
        phases: z
          .array(
            z.strictObject({
              name: text('What was done.'),
              seconds: number('How long.'),
              parts: z.array(z.strictObject({ name: text('A wave.'), seconds: number('How long.'), objects: int('Objects in it.') })).describe('The waves of `apply`.').optional(),
            }),
          )
          .describe('Every phase, in order.'),
      })
      .describe('The recovery time.'),
    rpo: rpo.describe('The recovery point.'),
    warnings: z.array(warning).describe('What was warned of.'),
  })
  .meta({ id: 'report of a drill' });

export const drillDocument = z.strictObject({
  ok: flag('Every check passed, and no objective was missed.'),
  id: text('Name of the report in the vaults: `reports/drill/<id>`.'),
  kept: texts('Vaults that took it.'),
  report: report.describe('The report, as it was signed.'),
  warnings,
});

export const drillDryRunDocument = z.strictObject({
  ok,
  plan: text('The plan.'),
  dryRun: z.literal(true).describe('Nothing was started or written.'),
  point: point.describe('What would be restored.'),
  rpo: rpo.describe('How old the newest safe point has been.'),
  warnings,
});

export const drillReportsDocument = z.strictObject({
  ok,
  plan: text('The plan.'),
  reports: z.array(z.strictObject({ id: text('Its name.'), report: report.describe('The report.'), vaults: texts('Vaults that hold it intact.') })).describe('Genuine reports, newest first.'),
  bad: z.array(z.strictObject({ id: text('Its name.'), vault: text('Where.'), problem: text('What is wrong.') })).describe('What lies among them and is none.'),
  warnings,
});
