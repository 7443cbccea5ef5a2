import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig, parseConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problem.ts';

const GOOD = `version: 1
sites:
  prod:
    kubeconfig: ./prod.kubeconfig
    context: prod
vaults:
  local:
    type: directory
    path: backups
  offsite:
    type: s3
    bucket: my-backups
    prefix: lifeboat
keys:
  write:
    file: write.key
  read:
    identityFile: ~/identity.txt
plans:
  prod:
    site: prod
    vaults: [local, offsite]
    select:
      excludeNamespaces: [scratch-*]
`;

/** The mistakes of a text, as `line:column path: message / hint`. */
function mistakes(text: string): string[] {
  try {
    parseConfig(text, 'lifeboat.yaml');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(
      ({ line, column, path, message, hint }) => `${line}:${column} ${path}: ${message}${hint === undefined ? '' : ` / ${hint}`}`,
    );
  }
  return [];
}

/** `GOOD` with one piece of text replaced. */
function spoilt(from: string, to: string): string {
  if (!GOOD.includes(from)) throw new Error(`not in the good text: ${from}`);
  return GOOD.replace(from, to);
}

describe('reading lifeboat.yaml', () => {
  it('resolves paths from the folder of the file and from the home folder', () => {
    const config = parseConfig(GOOD, '/etc/lifeboat/lifeboat.yaml');
    expect(config.sites.get('prod')).toEqual({ kubeconfig: '/etc/lifeboat/prod.kubeconfig', context: 'prod' });
    expect(config.vaults.get('local')).toEqual({ name: 'local', type: 'directory', path: '/etc/lifeboat/backups' });
    expect(config.vaults.get('offsite')).toEqual({ name: 'offsite', type: 's3', bucket: 'my-backups', prefix: 'lifeboat' });
    expect(config.writeKey).toEqual({ file: '/etc/lifeboat/write.key' });
    expect(config.readKey).toEqual({ identityFile: join(homedir(), 'identity.txt') });
    expect(config.plans.get('prod')).toEqual({
      site: 'prod',
      vaults: ['local', 'offsite'],
      select: { excludeNamespaces: ['scratch-*'] },
    });
  });

  it('does not take names for what every object inherits', () => {
    expect(parseConfig(GOOD, 'lifeboat.yaml').sites.get('constructor')).toBeUndefined();
    expect(mistakes(spoilt('    site: prod', '    site: constructor'))).toEqual([
      '21:11 plans.prod.site: there is no site `constructor` / possible here: `prod`',
    ]);
  });

  it('says that there is no file, and how to get one', async () => {
    await expect(loadConfig('/nonexistent/lifeboat.yaml')).rejects.toMatchObject({
      code: 'LB_CONFIG_MISSING',
      message: 'There is no /nonexistent/lifeboat.yaml',
      hint: expect.stringContaining('lifeboat init') as string,
    });
  });
});

describe('a mistake in lifeboat.yaml', () => {
  const cases: readonly (readonly [title: string, text: string, expected: readonly string[]])[] = [
    ['a misspelt field', spoilt('bucket: my', 'buckt: my'), ['12:5 vaults.offsite.buckt: there is no such field / did you mean `bucket`?']],
    ['a foreign field', `${GOOD}schedule: daily\n`, ['25:1 schedule: there is no such field / possible here: `version`, `sites`, `vaults`, `keys`, `control`, `plans`, `maintenance`, `queue`, `server`, `notify`']],
    ['a missing field', spoilt('    bucket: my-backups\n', ''), ['10:3 vaults.offsite: `bucket` is missing / add `bucket:` (The bucket)']],
    ['a type that nearly exists', spoilt('type: directory', 'type: dir'), ['8:11 vaults.local.type: must be `directory` or `s3` or `gcs` or `azure` / did you mean `directory`?']],
    ['a missing type', spoilt('    type: directory\n', ''), ['7:3 vaults.local: `type` is missing / add `type:` with `directory` or `s3` or `gcs` or `azure`']],
    ['a number for a text', spoilt('context: prod', 'context: 12'), ['5:14 sites.prod.context: must be a text, not a number / put it in quotes: "12"']],
    ['a text for a list', spoilt('[scratch-*]', 'scratch-*'), ['24:26 plans.prod.select.excludeNamespaces: must be a list, not a text / write a list: [scratch-*]']],
    ['an empty group', spoilt('    file: write.key\n', ''), ['15:3 keys.write: is empty; it must be a group of fields / The write key: adds recovery points, cannot read them. Needed by `backup`.']],
    ['none of the ways to give a key', spoilt('\n    file: write.key', ' {}'), ['15:3 keys.write: needs exactly one of `file` and `env` / name the file the write key is kept in: `file: lifeboat-write.key`']],
    ['a cluster reached in two ways', spoilt('    context: prod', '    inCluster: true'), ['3:3 sites.prod: `inCluster: true` cannot be combined with `kubeconfig` or `context` / keep one of the two']],
    ['a site that is not there', spoilt('    site: prod', '    site: prdo'), ['21:11 plans.prod.site: there is no site `prdo` / did you mean `prod`?']],
    ['a vault that is not there', spoilt('[local, offsite]', '[local, ofsite]'), ['22:21 plans.prod.vaults.1: there is no vault `ofsite` / did you mean `offsite`?']],
    ['a vault named twice', spoilt('[local, offsite]', '[local, local]'), ['22:21 plans.prod.vaults.1: is named twice / name each vault once']],
    ['a plan without vaults', spoilt('[local, offsite]', '[]'), ['22:5 plans.prod.vaults: needs at least one vault']],
    ['a name that no store would take', spoilt('  local:', '  Local_1:').replace('[local,', '[Local_1,'), ['7:3 vaults.Local_1: is not a usable name / use 1 to 63 of a to z, 0 to 9 and `-`, not beginning or ending with `-`']],
    ['a label selector that is none', spoilt('excludeNamespaces: [scratch-*]', 'labels: app=a b'), [`24:15 plans.prod.select.labels: "app=a b" is not a label selector: "app=a b" is not understood / Write it as for kubectl: app=shop,tier!=cache,env in (test,prod),!legacy`]],
    ['a variable that nobody fills in', spoilt('path: backups', 'path: ${HOME}/backups'), ['9:11 vaults.local.path: `${HOME}` would be taken literally: environment variables are not filled in / write the value itself; secrets have fields that name a file or a variable']],
    ['a patience that is no duration', `${GOOD}    slowVaults:\n      patience: 5 minutes\n`, ['26:17 plans.prod.slowVaults.patience: is not a duration such as `30s`, `10m` or `1h30m`']],
    ['a newer version', spoilt('version: 1', 'version: 2'), ['1:10 version: version 2 is newer than this lifeboat reads / upgrade lifeboat']],
    ['no version', spoilt('version: 1\n', ''), ['1:1 : `version` is missing / add `version:` with `1`']],
    ['half of the credentials', spoilt('    prefix: lifeboat\n', '    credentials:\n      accessKeyIdEnv: KEY_ID\n'), ['13:5 vaults.offsite.credentials: `secretAccessKeyEnv` is missing / add `secretAccessKeyEnv:` (Name of the environment variable that holds the secret access key)']],
    ['a field written twice', `${GOOD}version: 1\n`, ['25:1 : this field is written twice']],
    ['an empty file', '# nothing\n', ['1:1 : the file is empty / `lifeboat init` in an empty folder writes one with comments']],
    ['a list where fields should be', '- a\n', ['1:1 : must be a group of fields, not a list']],
  ];
  for (const [title, text, expected] of cases) {
    it(`is shown where it stands: ${title}`, () => {
      expect(mistakes(text)).toEqual(expected);
    });
  }

  it('is shown for text that is not YAML at all', () => {
    expect(mistakes('version: 1\nsites: [')[0]).toMatch(/^2:\d+ : this is not YAML: /);
    expect(mistakes('sites:\n\tprod: x')[0]).toMatch(/^2:1 : indent with spaces/);
  });

  it('does not hide the others: all are shown, in the order of the file, with their lines', () => {
    const text = spoilt('    kubeconfig:', '    kubconfig:').replace('bucket: my', 'buckt: my').replace('    site: prod', '    site: prdo');
    expect(() => parseConfig(text, 'lifeboat.yaml')).toThrow(`lifeboat.yaml has 3 mistakes

  lifeboat.yaml:4:5
    sites.prod.kubconfig: there is no such field
    4 |     kubconfig: ./prod.kubeconfig
      |     ^^^^^^^^^
    did you mean \`kubeconfig\`?

  lifeboat.yaml:12:5
    vaults.offsite.buckt: there is no such field
    12 |     buckt: my-backups
       |     ^^^^^
    did you mean \`bucket\`?

  lifeboat.yaml:21:11
    plans.prod.site: there is no site \`prdo\`
    21 |     site: prdo
       |           ^^^^
    did you mean \`prod\`?
`);
  });

  it('is found behind an alias, where the alias points', () => {
    const text = spoilt('  local:\n', '  local: &here\n').replace('path: backups', 'pth: backups').replace('  offsite:', '  other: *here\n  offsite:');
    expect(mistakes(text).map((line) => line.replace(/ .*/, ''))).toEqual(['9:5', '9:5']);
  });
});
