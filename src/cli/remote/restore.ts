import { z } from 'zod';
import { EXIT } from '../../core/error-codes.ts';
import { isLifeboatError, LifeboatError } from '../../core/errors.ts';
import { acceptedDocument, plansDocument, restoreDocument } from '../../server/documents.ts';
import type { RestoreDocument } from '../../server/documents.ts';
import type { Context } from '../context.ts';
import { parseNamespaceMap } from '../namespace-map.ts';
import { canAsk, confirm } from '../prompt.ts';
import type { RestoreOptions } from '../restore/options.ts';
import { selectionOf } from '../selection.ts';
import { ApiClient } from './client.ts';
import { followRestore } from './follow.ts';
import { remotePlanText } from './text.ts';

/** Options that mean something only when this machine does the restore. */
const LOCAL = ['kubeconfig', 'context', 'vault', 'identity', 'passphraseFile', 'kms', 'keyFile', 'site'] as const;

const DIGEST = /^[0-9a-f]{64}$/;

/** `lifeboat restore --server`: asks for a restore there, follows one, or confirms one. */
export async function restoreRemotely(context: Context, point: string, options: RestoreOptions): Promise<number> {
  const local = LOCAL.find((name) => options[name] !== undefined);
  if (local !== undefined) {
    throw new LifeboatError('LB_USAGE', 'With --server the server reads the vaults and knows the sites', { hint: `Leave --${local.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} out.` });
  }
  const client = await ApiClient.open(context, options);
  const known = typeof options.follow === 'string' ? options.follow : undefined;
  if (known !== undefined && !known.startsWith('restore.')) {
    throw new LifeboatError('LB_USAGE', `\`${known}\` is not the id of a restore`, { hint: 'Write the point first, and --follow last; or --follow restore.… with the id that the server gave.' });
  }
  if (options.confirm !== undefined) {
    if (known === undefined) throw new LifeboatError('LB_USAGE', 'Nothing says which restore is confirmed', { hint: 'Add --follow with its id.' });
    if (!DIGEST.test(options.confirm)) throw new LifeboatError('LB_USAGE', 'This is not the digest of a plan', { hint: 'Without --confirm the plan is shown, and its digest: 64 letters and digits.' });
    await client.ask(z.object({ id: z.string() }), 'POST', `/v1/restores/${known}/confirm`, { body: { digest: options.confirm } });
  }
  if (known !== undefined) return follow(context, client, known, options);
  const accepted = await submit(context, client, point, options);
  if (options.follow === undefined) {
    await context.output.result({ ok: true, ...accepted }, () => `${accepted.id}\nfollow it with: lifeboat restore --server ${options.server ?? ''} --follow ${accepted.id}`);
    return EXIT.ok;
  }
  context.output.note(`${accepted.id}: ${accepted.created ? 'asked for' : 'was there already'}`);
  return follow(context, client, accepted.id, options);
}

async function submit(context: Context, client: ApiClient, point: string, options: RestoreOptions): Promise<z.output<typeof acceptedDocument>> {
  if (options.to === undefined) throw new LifeboatError('LB_USAGE', 'Nothing says which site to restore into', { hint: 'Give --to SITE with a site of the server’s lifeboat.yaml.' });
  const dryRun = options.plan === true || options.dryRun === true;
  const plan = options.ofPlan ?? (await onlyPlan(client));
  const asking = !dryRun && options.yes !== true;
  if (asking) {
    if (!canAsk(context.terminal) || context.globals.json === true) {
      throw new LifeboatError('LB_USAGE', 'A restore writes to the cluster, and nobody can be asked whether to', { hint: 'Look at the plan with --plan, then add --yes.' });
    }
    if (!(await confirm(context.terminal, `Restore point ${point} of plan ${plan} into ${options.to}?`, context.signal))) throw new LifeboatError('LB_INTERRUPTED', 'Nothing was restored');
  }
  return client.ask(acceptedDocument, 'POST', '/v1/restores', {
    ...(options.idempotencyKey !== undefined && { headers: { 'idempotency-key': options.idempotencyKey } }),
    body: {
      plan,
      point,
      target: options.to,
      selection: selectionOf(options),
      objects: options.object ?? [],
      renameNamespaces: parseNamespaceMap(options.mapNamespace ?? []),
      existing: options.existing,
      waitSeconds: Math.ceil((options.wait ?? 0) / 1000),
      intoSource: options.intoSource === true,
      dryRun,
    },
  });
}

async function onlyPlan(client: ApiClient): Promise<string> {
  const { plans } = await client.ask(plansDocument, 'GET', '/v1/plans');
  const [first, ...others] = plans.map(({ name }) => name);
  if (first !== undefined && others.length === 0) return first;
  throw new LifeboatError('LB_USAGE', first === undefined ? 'The server has no plan' : 'The server has several plans', { hint: first === undefined ? 'Add one to its lifeboat.yaml.' : `Say which with --of-plan: ${[first, ...others].join(', ')}.` });
}

async function follow(context: Context, client: ApiClient, id: string, options: RestoreOptions): Promise<number> {
  const { output, terminal, signal } = context;
  let shown: string | undefined;
  const onState = async (restore: RestoreDocument): Promise<void> => {
    if (restore.progress !== undefined && restore.state === 'active') output.progress.report(restore.progress as Parameters<typeof output.progress.report>[0]);
    const { plan, state } = restore;
    if (state !== 'unconfirmed' || plan === undefined || shown === plan.digest) return;
    shown = plan.digest;
    output.progress.finish();
    output.note(`${remotePlanText(plan, output.style)}\nIt is done once an admin confirms this plan: lifeboat restore --server ${options.server ?? ''} --follow ${id} --confirm ${plan.digest}`);
    if (context.globals.json === true || !canAsk(terminal) || !(await confirm(terminal, 'Confirm it?', signal))) return;
    try {
      await client.ask(z.object({ id: z.string() }), 'POST', `/v1/restores/${id}/confirm`, { body: { digest: plan.digest } });
    } catch (error) {
      if (!isLifeboatError(error, 'LB_API_FORBIDDEN')) throw error;
      output.note(`${error.message}. Somebody else has to confirm it; waiting.`);
    }
  };
  const end = await followRestore(client, id, { signal, onState }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
    throw new LifeboatError('LB_INTERRUPTED', 'The restore goes on at the server, and is not followed any more', { where: id, hint: `Follow it again with: lifeboat restore --server ${options.server ?? ''} --follow ${id}` });
  });
  output.progress.finish();
  return showEnd(context, end);
}

async function showEnd({ output }: Context, restore: RestoreDocument): Promise<number> {
  const parsed = restoreDocument.parse(restore);
  const { failure, id, plan, report, state } = parsed;
  if (state === 'canceled') throw new LifeboatError('LB_INTERRUPTED', 'The restore was cancelled', { where: id });
  if (failure !== undefined) {
    const { remoteError } = await import('./client.ts');
    throw remoteError(failure.code, failure.message, { hint: failure.hint, where: failure.where ?? id });
  }
  if (report === undefined) {
    const conflicts = (plan?.actions['conflict'] ?? 0) > 0;
    await output.result({ ok: !conflicts, restore: parsed }, () => (plan === undefined ? `${id}: ${state}` : remotePlanText(plan, output.style)));
    return conflicts ? EXIT.findings : EXIT.ok;
  }
  const ok = report['ok'] === true;
  await output.result({ ok, restore: parsed }, () => `${ok ? output.style.green('restored') : output.style.yellow('restored, but not everything')}: ${id}\n${reportLines(report)}`);
  return ok ? EXIT.ok : EXIT.partial;
}

const reportSchema = z.object({
  source: z.string().optional(),
  target: z.string().optional(),
  seconds: z.number().optional(),
  objects: z.record(z.string(), z.number()).optional(),
  failures: z.array(z.object({ object: z.string(), outcome: z.string(), reason: z.string() })).optional(),
});

function reportLines(report: Record<string, unknown>): string {
  const { failures = [], objects = {}, seconds, source, target } = reportSchema.safeParse(report).data ?? {};
  return [
    ...(source === undefined || target === undefined ? [] : [`  ${source} into ${target}`]),
    ...Object.entries(objects).filter(([, count]) => count > 0).map(([outcome, count]) => `  ${count} ${outcome}`),
    ...failures.map(({ object, outcome, reason }) => `  ${outcome} ${object}: ${reason}`),
    ...(seconds === undefined ? [] : [`  in ${seconds.toFixed(1)} s`]),
  ].join('\n');
}
