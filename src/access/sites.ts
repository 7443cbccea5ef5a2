import { resolve } from 'node:path';
import { LifeboatError } from '../core/errors.ts';
import type { SiteConnection } from '../site/connect.ts';
import { unknownName } from './surroundings.ts';
import type { Surroundings } from './surroundings.ts';

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
export async function connectChosen(surroundings: Surroundings, choice: SiteChoice): Promise<SiteConnection> {
  const [{ connectSite }, { defaultKubeconfigPaths, readKubeconfig }] = await Promise.all([import('../site/connect.ts'), import('../site/kubeconfig.ts')]);
  if (choice.kubeconfig !== undefined || choice.context !== undefined) {
    if (choice.site !== undefined) {
      throw new LifeboatError('LB_USAGE', 'A site is named both by its name and by a kubeconfig', { hint: 'Leave one of the two out.' });
    }
    const kubeconfig = choice.kubeconfig === undefined ? undefined : resolve(surroundings.folder, choice.kubeconfig);
    const { context: name } = await readKubeconfig(kubeconfig === undefined ? defaultKubeconfigPaths(surroundings.env) : [kubeconfig], choice.context);
    return connectSite({ name, kubeconfig, context: name });
  }
  const config = await surroundings.config();
  const name = choice.site ?? '';
  const site = config.sites.get(name);
  if (site === undefined) throw await unknownName('site', name, [...config.sites.keys()], config.file);
  return connectSite({ name, ...site });
}
