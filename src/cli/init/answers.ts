import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { withPaths } from '../../config/load.ts';
import { placeKey } from '../../config/placement-check.ts';
import { NAME_PATTERN } from '../../config/schema.ts';
import type { SiteConfig } from '../../config/schema.ts';
import { parseVaultUrl } from '../../config/vault-url.ts';
import { isLifeboatError, LifeboatError } from '../../core/errors.ts';
import type { VaultConfig, VaultSettings } from '../../vault/config.ts';
import type { Context } from '../context.ts';

export interface InitOptions {
  readonly site?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly vault?: readonly string[];
  readonly identity?: readonly string[];
  readonly passphraseFile?: string;
  readonly recipient?: readonly string[];
  readonly kms?: readonly string[];
}

/** Names of the files that `init` makes beside lifeboat.yaml. */
export const WRITE_KEY_FILE = 'lifeboat-write.key';
export const IDENTITY_FILE = 'lifeboat-identity.txt';

/** The site that goes into a new lifeboat.yaml: paths as they shall stand in it. */
export async function siteAnswer(context: Context, options: InitOptions): Promise<{ readonly name: string; readonly site: SiteConfig }> {
  const { defaultKubeconfigPaths, readKubeconfig } = await import('../../site/kubeconfig.ts');
  const named = options.kubeconfig === undefined ? undefined : context.path(options.kubeconfig);
  const defaults = defaultKubeconfigPaths(context.env);
  let cluster = options.context;
  try {
    // The context is written down, because the current one of a kubeconfig changes with everybody's `kubectl config use-context`.
    cluster = (await readKubeconfig(named === undefined ? defaults : [named], options.context)).context;
  } catch (error) {
    const asked = named !== undefined || options.context !== undefined;
    if (asked || !isLifeboatError(error, 'LB_SITE_CONFIG')) throw error;
    context.output.warn({ kind: 'no-kubeconfig', message: 'No kubeconfig was found: write the one of the cluster into lifeboat.yaml', where: defaults.join(', ') });
  }
  const kubeconfig = named ?? (defaults.length === 1 ? defaults[0] : undefined);
  return {
    name: checkedName(options.site ?? nameFrom(cluster ?? 'prod'), 'site'),
    site: {
      ...(kubeconfig !== undefined && { kubeconfig: inFile(context, kubeconfig) }),
      ...(cluster !== undefined && { context: cluster }),
    },
  };
}

/** The vaults of a new lifeboat.yaml by name, with absolute paths. `NAME=` may stand before an address. */
export function vaultAnswers(context: Context, given: readonly string[]): readonly VaultConfig[] {
  const vaults: VaultConfig[] = [];
  for (const text of given) {
    const named = /^([A-Za-z0-9_-]+)=(.+)$/s.exec(text);
    const settings = parseVaultUrl(named?.[2] ?? text, context.folder);
    const base = named?.[1] ?? nameFrom(placeOf(settings));
    const taken = vaults.map((vault) => vault.name);
    if (named !== null && taken.includes(base)) throw new LifeboatError('LB_USAGE', `Two vaults are called \`${base}\``, { hint: 'Give each a name of its own: NAME=ADDRESS.' });
    const twin = vaults.find((vault) => placeKey(vault, resolve) === placeKey(settings, resolve));
    if (twin !== undefined) {
      throw new LifeboatError('LB_USAGE', `\`${text}\` is the same place as the vault \`${twin.name}\`: together they are one copy`, { hint: 'Name it once.' });
    }
    let name = base;
    for (let count = 2; taken.includes(name); count += 1) name = `${base}-${count}`;
    vaults.push({ ...settings, name: checkedName(name, 'vault') });
  }
  return vaults;
}

/** A vault as it shall stand in lifeboat.yaml. */
export function vaultInFile(context: Context, { name: _name, ...settings }: VaultConfig): VaultSettings {
  return withPaths(settings, (path) => inFile(context, path));
}

/** What a vault is called after, if nobody names it. */
function placeOf(settings: VaultSettings): string {
  if (settings.type === 'directory') return 'local';
  return settings.type === 'azure' ? settings.container : settings.bucket;
}

/** A path as it shall stand in lifeboat.yaml: relative when it is below the file's folder, so that the folder can be moved. */
export function inFile(context: Context, path: string): string {
  const folder = dirname(resolve(context.folder, context.configFile));
  const inside = relative(folder, path);
  if (inside === '') return '.';
  return inside.startsWith('..') || isAbsolute(inside) ? path : inside;
}

/** An absolute path beside lifeboat.yaml. */
export function besideConfig(context: Context, name: string): string {
  return join(dirname(resolve(context.folder, context.configFile)), name);
}

/** The nearest usable name to something that was named elsewhere, as kubeconfig contexts are (`admin@prod.example`). */
function nameFrom(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, '');
  return name === '' ? 'prod' : name;
}

function checkedName(name: string, what: string): string {
  if (NAME_PATTERN.test(name)) return name;
  throw new LifeboatError('LB_USAGE', `\`${name}\` cannot be the name of a ${what}`, {
    hint: 'Use 1 to 63 of a to z, 0 to 9 and `-`, not beginning or ending with `-`.',
  });
}
