import { LifeboatError } from '../core/errors.ts';
import type { SiteConnection } from '../site/connect.ts';
import type { Context } from './context.ts';
import { unknownName } from './context.ts';

/** A site as named on the command line: by its name in lifeboat.yaml, or by a kubeconfig. */
export interface SiteChoice {
  readonly site?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

/**
 * Opens the way to a site. Close it when done.
 * Throws `LB_USAGE` when the name is not in lifeboat.yaml, `LB_SITE_CONFIG` when the kubeconfig cannot be used.
 */
export async function connectChosen(context: Context, choice: SiteChoice): Promise<SiteConnection> {
  const { connectSite } = await import('../site/connect.ts');
  if (choice.kubeconfig !== undefined || choice.context !== undefined) {
    if (choice.site !== undefined) {
      throw new LifeboatError('LB_USAGE', 'A site is named both by its name and by a kubeconfig', { hint: 'Leave one of the two out.' });
    }
    const file = choice.kubeconfig === undefined ? undefined : context.path(choice.kubeconfig);
    return connectSite({ name: choice.context ?? choice.kubeconfig ?? 'site', kubeconfig: file, context: choice.context });
  }
  const config = await context.config();
  const name = choice.site ?? '';
  const site = config.sites.get(name);
  if (site === undefined) throw await unknownName('site', name, [...config.sites.keys()], config.file);
  return connectSite({ name, ...site });
}
