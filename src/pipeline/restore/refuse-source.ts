import { LifeboatError } from '../../core/errors.ts';
import type { OnWarning } from '../../core/progress.ts';
import type { SiteConnection } from '../../site/connect.ts';
import { identifySite } from '../../site/revision.ts';
import type { StateSource } from '../../site/types.ts';

/**
 * The wrong kubeconfig must not cost a cluster its state: throws `LB_RESTORE_INTO_SOURCE` when the target is the cluster that the source
 * was taken from, unless that is `allowed`. Where it cannot be told which cluster it is, it counts as the wrong one.
 */
export async function refuseSource(
  source: StateSource,
  target: SiteConnection,
  { allowed, signal, onWarning }: { readonly allowed: boolean; readonly signal: AbortSignal; readonly onWarning: OnWarning },
): Promise<void> {
  const { clusterUid } = await identifySite(target, signal);
  const unknown = [
    ...(clusterUid === '' ? ['the namespace kube-system of the target could not be read'] : []),
    ...(source.summary.clusterUid === '' ? ['the namespace kube-system could not be read when the backup was made'] : []),
  ].join(', and ');
  if (unknown !== '') {
    const message = `It cannot be told whether the target is the cluster that ${source.label} was taken from: ${unknown}`;
    if (!allowed) {
      throw new LifeboatError('LB_RESTORE_INTO_SOURCE', message, {
        where: target.server,
        hint: 'Allow `get` of the namespace kube-system; or make sure that kubeconfig and context are the right ones, and add --into-source.',
      });
    }
    onWarning({ kind: 'cluster-unknown', message });
    return;
  }
  if (allowed || clusterUid !== source.summary.clusterUid) return;
  throw new LifeboatError('LB_RESTORE_INTO_SOURCE', `The target is the cluster that ${source.label} was taken from`, {
    where: target.server,
    hint: 'Check kubeconfig and context. If it is meant, add --into-source.',
  });
}
