import { z } from 'zod';
import type { PlanConfig } from '../../config/schema.ts';
import { isLifeboatError, messageOf } from '../../core/errors.ts';
import type { SiteConnection } from '../../site/connect.ts';
import { discover } from '../../site/discover.ts';
import type { Discovery, ServedType } from '../../site/discover.ts';
import { identifySite } from '../../site/revision.ts';
import { compileSelection } from '../../site/selection.ts';
import { typeName } from '../../site/types.ts';
import { collectionPath } from '../../site/url.ts';
import type { Context } from '../context.ts';
import { asSelection } from '../../access/selection.ts';
import { connectChosen } from '../../access/sites.ts';
import { plural } from '../text.ts';
import { clockFinding } from './clock.ts';
import { failure } from './finding.ts';
import type { Report } from './finding.ts';

const versionSchema = z.object({ gitVersion: z.string(), major: z.string(), minor: z.string() });

/** Oldest minor version of Kubernetes 1 that lists at an exact revision with pages. */
const OLDEST_MINOR = 19;
const TRIALS_AT_ONCE = 8;
/** Types named in one message; the rest is counted. */
const NAMED = 12;

/** Tries what a backup needs of a site: reaching it, its version, the rights to list everything that is selected, its clock. */
export async function checkSite(context: Context, name: string, plan: PlanConfig, report: Report): Promise<void> {
  const subject = `site "${name}"`;
  let connection: SiteConnection;
  try {
    connection = await connectChosen(context, { site: name });
  } catch (error) {
    report(failure(subject, 'reachable', error));
    return;
  }
  try {
    if (!(await checkVersion(connection, subject, context.signal, report))) return;
    await checkIdentity(connection, subject, context.signal, report);
    const discovery = await discover(connection, { signal: context.signal });
    for (const { group, version, reason } of discovery.unavailable) {
      report({
        subject,
        check: 'apis',
        status: 'warn',
        message: `the API ${group}/${version} does not answer: ${reason}`,
        fix: 'Its objects are missing from backups until it does. See `kubectl get apiservices`.',
      });
    }
    await checkRights(connection, subject, plan, discovery, context, report);
  } catch (error) {
    context.signal.throwIfAborted();
    report(failure(subject, 'reachable', error));
  } finally {
    await connection.close();
  }
}

async function checkVersion(connection: SiteConnection, subject: string, signal: AbortSignal, report: Report): Promise<boolean> {
  const before = Date.now();
  try {
    const answer = await connection.request({ path: '/version', doing: 'get the version', signal });
    const version = versionSchema.parse(JSON.parse(answer.body.toString('utf8')));
    const tooOld = version.major === '1' && Number.parseInt(version.minor, 10) < OLDEST_MINOR;
    report({
      subject,
      check: 'reachable',
      status: tooOld ? 'fail' : 'ok',
      message: `${connection.server} answers: Kubernetes ${version.gitVersion}`,
      ...(tooOld && { fix: `lifeboat needs Kubernetes 1.${OLDEST_MINOR} or newer.` }),
    });
    if (answer.date !== undefined) report(clockFinding(subject, answer.date, before, Date.now()));
    return true;
  } catch (error) {
    signal.throwIfAborted();
    report(failure(subject, 'reachable', error));
    return false;
  }
}

/** Whether points will say which cluster they are of: restores need it to tell the source from other clusters. */
async function checkIdentity(connection: SiteConnection, subject: string, signal: AbortSignal, report: Report): Promise<void> {
  if ((await identifySite(connection, signal)).clusterUid !== '') return;
  report({
    subject,
    check: 'identity',
    status: 'warn',
    message: 'may not get the namespace kube-system, whose UID tells clusters apart: restores of its points ask for --into-source',
    fix: 'Give this user the role in infra/kubernetes.',
  });
}

/** Lists one object of every selected type: the only test of a right that cannot be wrong. */
async function checkRights(
  connection: SiteConnection,
  subject: string,
  plan: PlanConfig,
  discovery: Discovery,
  context: Context,
  report: Report,
): Promise<void> {
  const selection = compileSelection(asSelection(plan.select ?? {}));
  const types = discovery.types.filter((type) => selection.hasType(type));
  const refused: string[] = [];
  const broken: string[] = [];
  const waiting = [...types];
  const trial = async (type: ServedType): Promise<void> => {
    const namespaces = type.namespaced ? (selection.exactNamespaces ?? ['']) : [''];
    for (const namespace of namespaces) {
      try {
        await connection.request({
          path: collectionPath(type, namespace),
          query: { limit: 1 },
          doing: `list ${typeName(type)}`,
          signal: context.signal,
          retry: false,
        });
      } catch (error) {
        context.signal.throwIfAborted();
        const what = namespace === '' ? typeName(type) : `${typeName(type)} in ${namespace}`;
        if (isLifeboatError(error, 'LB_SITE_ACCESS')) refused.push(what);
        else broken.push(`${what} (${messageOf(error)})`);
      }
    }
  };
  const worker = async (): Promise<void> => {
    for (let type = waiting.shift(); type !== undefined; type = waiting.shift()) await trial(type);
  };
  await Promise.all(Array.from({ length: TRIALS_AT_ONCE }, worker));

  const unmatched = selection.unmatched(discovery.types);
  if (unmatched.length > 0) {
    report({
      subject,
      check: 'selection',
      status: 'warn',
      message: `the plan selects types that the site does not have: ${unmatched.join(', ')}`,
      fix: 'Check their spelling: `kubectl api-resources` lists what there is.',
    });
  }
  if (refused.length > 0) {
    report({
      subject,
      check: 'rights',
      status: 'fail',
      message: `may not list ${plural(refused.length, 'type')} of ${types.length}: ${some(refused)}`,
      fix: 'Give this user the role in infra/kubernetes, or leave these types out with `excludeTypes`.',
    });
  }
  if (broken.length > 0) {
    report({ subject, check: 'rights', status: 'warn', message: `could not list ${plural(broken.length, 'type')}: ${some(broken)}`, fix: 'Backups lack them, and say so.' });
  }
  if (refused.length + broken.length === 0) report({ subject, check: 'rights', status: 'ok', message: `may list all ${types.length} selected types` });
}

function some(names: readonly string[]): string {
  const sorted = names.toSorted();
  const more = sorted.length - NAMED;
  return more > 0 ? `${sorted.slice(0, NAMED).join(', ')} and ${more} more` : sorted.join(', ');
}
