import { stringify } from 'yaml';
import { LEVELS } from '../core/failure-domain.ts';
import type { VaultSettings } from '../vault/config.ts';
import { domainOfStore } from './inferred-domain.ts';
import type { SiteConfig } from './schema.ts';

/** What `lifeboat init` knows when it writes lifeboat.yaml. Paths as they shall stand in the file. */
export interface TemplateValues {
  /** Where lifeboat.schema.json is, for editors. */
  readonly schema: string;
  readonly siteName: string;
  readonly site: SiteConfig;
  /** By name, in order. */
  readonly vaults: ReadonlyMap<string, VaultSettings>;
  readonly writeKeyFile: string;
  /** What opens the repository on this machine; none when only someone else's recipient can. */
  readonly read: ReadInFile | undefined;
}

/** The section `keys.read` of a new lifeboat.yaml. */
export interface ReadInFile {
  readonly identityFile?: string;
  readonly passphraseFile?: string;
  readonly kms?: readonly { readonly key: string }[];
}

/** The commented lifeboat.yaml that `lifeboat init` writes. */
export function configTemplate(values: TemplateValues): string {
  // Names like `2026`, `true` and `null` would be something else without quotes.
  const siteName = scalar(values.siteName);
  const vaultNames = [...values.vaults.keys()].map(scalar);
  const read =
    values.read === undefined
      ? '  # read:\n  #   identityFile: lifeboat-identity.txt\n'
      : `  read:\n${block(values.read, 4)}`;
  return `# yaml-language-server: $schema=${values.schema}
# Configuration of lifeboat. Every field: docs/configuration.md. Relative paths start at the folder of this file.
version: 1

# The clusters, by name.
sites:
  ${siteName}:
${siteBlock(values.site)}${SITE_DOMAIN}
# The places recovery points are kept in, by name. Keep at least one where the site cannot take it along when it
# fails: another region, another account, another cloud. Each vault is enough by itself.
vaults:
${[...values.vaults].map(([name, vault]) => `  ${scalar(name)}:\n${block(vault, 4)}${domainComment(vault)}`).join('')}  # offsite:
  #   type: s3
  #   bucket: my-backups
  #   prefix: lifeboat
  #   region: eu-central-1
  #   endpoint: https://s3.example.net   # for stores other than Amazon S3
  #   credentials:                       # default: AWS_* variables, ~/.aws, the machine's role
  #     profile: backups
  #   domain:                            # what could take it along; taken from the settings where they say it
  #     cloud: example
  #     account: backups

# Where keys are found. No key is ever written in this file.
keys:
  # Adds recovery points, cannot read them. All that a machine that makes backups needs.
  write:
${block({ file: values.writeKeyFile }, 4)}  # Opens recovery points. Keep a copy where the site, this machine and the vaults cannot take it along, and take
  # \`read\` out of this file on machines that only make backups.
${read}  # Signs removals; can neither read points nor add any. Without it, what \`read\` names is used, if it opens everything.
  # maintain:
  #   file: lifeboat-maintain.key          # made by \`lifeboat keys export --role maintain\`
  # All that opens the repository, and what could take each along: \`outlives\` counts on these.
  # openers:
  #   - kind: age                          # kept by people: lost with nothing, unless a \`domain\` says where it is kept
  #   - kind: aws-kms
  #     key: aws-kms:arn:aws:kms:eu-central-1:111122223333:key/…

# Where restores are run: not where they would be lost together with the cluster.
# control:
#   domain:
#     cloud: example

# What is protected, and where to.
plans:
  ${siteName}:
    site: ${siteName}
    vaults: [${vaultNames.join(', ')}]
    # A promise: any one cloud may be lost with everything in it, and a safe point can still be restored. Backups are
    # refused when vaults and keys do not keep it; \`lifeboat placement\` shows what they keep.
    # outlives: cloud                      # or account, region, zone
    # copies: 2                            # vaults that make a point safe; default: a majority
    # Without \`select\`, everything the API server lists.
    # select:
    #   excludeNamespaces: [scratch-*]
    #   excludeTypes: [events, events.events.k8s.io]
`;
}

const SITE_DOMAIN = `    # domain:                            # what could take the cluster along: see docs/placement.md
    #   cloud: aws
    #   account: "111122223333"
    #   region: eu-central-1
`;

/** What of where a vault stands its settings do not tell, to be filled in. */
function domainComment(vault: VaultSettings): string {
  const told = domainOfStore(vault);
  const missing = LEVELS.toReversed().filter((level) => told[level] === undefined);
  return `    # domain: {${missing.map((level) => `${level}: …`).join(', ')}}\n`;
}

function siteBlock(site: SiteConfig): string {
  if (site.inCluster === true) return block({ inCluster: true }, 4);
  const context = site.context === undefined ? '    # context: prod   # default: the current one of the kubeconfig\n' : block({ context: site.context }, 4);
  return block({ kubeconfig: site.kubeconfig ?? '~/.kube/config' }, 4) + context;
}

/** A text as it stands on a line of YAML, quoted where it must be. */
function scalar(text: string): string {
  return stringify(text, { lineWidth: 0 }).trimEnd();
}

/** `value` as YAML, indented. */
function block(value: object, indent: number): string {
  // Split by hand: `^` would also match behind U+2028, which may stand in a text.
  const lines = stringify(value, { lineWidth: 0 }).split('\n');
  return lines.map((line) => (line === '' ? line : ' '.repeat(indent) + line)).join('\n');
}
