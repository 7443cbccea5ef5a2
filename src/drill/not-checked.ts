import type { SitePoints } from './points.ts';
import type { DrillReport } from './report.ts';

/** What no drill shows, in words for whoever reads the report. */
export function notChecked(kind: DrillReport['cluster']['kind'], notRun: readonly string[], points: SitePoints): string[] {
  const unsafe = points.live.length - points.safe.length;
  return [
    'Whether containers start: no pod is given a node, and no image is pulled',
    'The data of volumes: it is not part of the cluster state, and claims get no volume',
    'Webhooks, converters and aggregated APIs: they are registered as objects, made harmless, and never called',
    'Certificates, DNS names and load balancers: nothing of a drill reaches what makes them',
    ...(kind === 'control-plane' ? ['How long a new cluster takes from a cloud: the control plane of the drill is started on this machine'] : []),
    ...(notRun.includes('kube-controller-manager') ? ['What controllers make of the objects: the binaries of the control plane hold no controller manager'] : []),
    ...(unsafe > 0 ? [`${unsafe} of ${points.live.length} points of the site: they are not whole in enough vaults`] : []),
  ];
}
