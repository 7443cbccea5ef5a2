import { systemClock } from '../../core/clock.ts';
import type { SiteConnection } from '../../site/connect.ts';
import type { OwnedFolder } from '../keeper/owned-folder.ts';
import type { CheckResult } from '../report.ts';
import { acceptedCheck } from './accepted.ts';
import type { CheckContext, SiteCheck } from './check.ts';
import { runCommand } from './command.ts';
import type { CommandCheck } from './command.ts';
import { completeCheck } from './complete.ts';
import { definitionsCheck } from './definitions.ts';
import { differencesCheck } from './differences.ts';
import { Findings } from './findings.ts';
import { runRequest } from './http.ts';
import type { HttpCheck } from './http.ts';
import { checkReferences } from './references.ts';
import { hideSecrets } from './secrets-hidden.ts';

/** Checks of the cluster as a whole, in the order of the report. */
const SITE_CHECKS: readonly SiteCheck[] = [completeCheck, acceptedCheck, differencesCheck, definitionsCheck];

/** A check that the plan names. */
export type CustomCheck = CommandCheck | HttpCheck;

/** What custom checks run with. */
export interface CustomSurroundings {
  readonly folder: OwnedFolder;
  /** Of the restored cluster; absent where there is none that a program could use. */
  readonly kubeconfig: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Texts that are never to be shown. */
  readonly secrets: readonly string[];
  /** There is something behind the Services of the cluster. */
  readonly podsRun: boolean;
}

/** Runs every check, one after the other. Throws only what ends the whole drill: the cluster is away, the point is damaged, the signal. */
export async function runChecks(
  context: CheckContext,
  custom: readonly CustomCheck[],
  surroundings: CustomSurroundings,
  progress: (done: number, detail: string) => void,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of SITE_CHECKS) {
    progress(results.length, check.id);
    const found = new Findings();
    const begun = systemClock.now();
    await check.run(context, found);
    results.push(found.result(check, (systemClock.now() - begun) / 1000));
  }
  results.push(...(await checkReferences(context, () => progress(results.length, 'references'))));
  const own: CheckResult[] = [];
  for (const [number, check] of custom.entries()) {
    progress(results.length + number, check.name);
    own.push(await runCustom(check, number + 1, context, surroundings));
  }
  // What they said may hold anything that the cluster holds.
  const texts = own.flatMap(({ output = '', findings }) => [output, ...findings.map(({ message }) => message)]);
  const safe = await hideSecrets(context.source, texts, surroundings.secrets, context.signal);
  let next = 0;
  for (const { output, findings, ...result } of own) {
    const said = safe[next++] ?? '';
    const told = findings.map((finding) => ({ ...finding, message: safe[next++] ?? '' }));
    results.push({ ...result, findings: told, ...(output !== undefined && said !== '' && { output: said }) });
  }
  return results;
}

async function runCustom(check: CustomCheck, number: number, { target, signal }: { readonly target: SiteConnection; readonly signal?: AbortSignal | undefined }, surroundings: CustomSurroundings): Promise<CheckResult> {
  const { folder, kubeconfig, env, podsRun } = surroundings;
  const found = new Findings();
  const begun = systemClock.now();
  let output = '';
  if ('url' in check) output = await runRequest(check, target, podsRun, signal, found);
  else if (kubeconfig === undefined) found.skip('The site is reached without a kubeconfig, so that there is none to give to a command');
  else output = await runCommand(check, { folder, number, env: { ...env, KUBECONFIG: kubeconfig }, signal }, found);
  return { ...found.result({ id: 'custom', title: check.name }, (systemClock.now() - begun) / 1000), output };
}
