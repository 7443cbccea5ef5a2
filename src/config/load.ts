import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { LifeboatError, messageOf } from '../core/errors.ts';
import type { VaultConfig, VaultSettings } from '../vault/config.ts';
import { explainIssues, problem } from './explain.ts';
import { Locator } from './locate.ts';
import type { Path } from './locate.ts';
import { ConfigError } from './problem.ts';
import type { ConfigProblem } from './problem.ts';
import { checkPlacement } from './placement-check.ts';
import { checkReferences } from './references.ts';
import { configSchema } from './schema.ts';
import type { OpenerConfig, WayInConfig, WriteKeyConfig } from './keys-schema.ts';
import type { ScheduleConfig } from './schedule-schema.ts';
import type { ControlConfig, PlanConfig, RawConfig, SiteConfig } from './schema.ts';
import type { NotifyConfig, QueueConfig, ServerConfig } from './service-schema.ts';

/** lifeboat.yaml, checked, with every path absolute. */
export interface Config {
  /** The file it was read from, as the user named it. */
  readonly file: string;
  readonly sites: ReadonlyMap<string, SiteConfig>;
  readonly vaults: ReadonlyMap<string, VaultConfig>;
  readonly writeKey: WriteKeyConfig | undefined;
  /** What opens the repository for reading. */
  readonly readKey: OpenerConfig | undefined;
  /** What signs removals; without it `readKey` serves, if it opens everything. */
  readonly maintainKey: OpenerConfig | undefined;
  /** All that opens the repository, when the file says so. */
  readonly openers: readonly WayInConfig[] | undefined;
  /** The machine that runs restores, when the file says where it stands. */
  readonly control: ControlConfig | undefined;
  readonly plans: ReadonlyMap<string, PlanConfig>;
  /** When points that no plan keeps are removed by themselves. */
  readonly maintenance: ScheduleConfig | undefined;
  /** Where jobs wait; the embedded one when the file says nothing. */
  readonly queue: QueueConfig;
  readonly server: ServerConfig | undefined;
  readonly notify: NotifyConfig | undefined;
  /** Where a part of the file stands, or what is nearest above it: `lifeboat.yaml:12`. */
  readonly lineOf: (path: Path) => string;
}

/**
 * Reads and checks lifeboat.yaml.
 * Throws `LB_CONFIG_MISSING` when the file is not there, and a `ConfigError` (`LB_CONFIG_INVALID`) that shows
 * every mistake in it with its line.
 */
export async function loadConfig(file: string): Promise<Config> {
  return parseConfig(await readConfigText(file), file);
}

/** The text of lifeboat.yaml. Throws `LB_CONFIG_MISSING` when it is not there or cannot be read. */
export async function readConfigText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new LifeboatError('LB_CONFIG_MISSING', absent ? `There is no ${file}` : `${file} cannot be read: ${messageOf(error)}`, {
      where: resolve(file),
      hint: 'Make one with `lifeboat init`, or name another with --config FILE (or LIFEBOAT_CONFIG).',
      cause: error,
    });
  }
}

/** Checks the text of a lifeboat.yaml that is called `file`; its folder is what relative paths are relative to. */
export function parseConfig(text: string, file: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true, uniqueKeys: true });
  const locator = new Locator(document, lines);
  const broken = document.errors.map((error): ConfigProblem => {
    const [start, end] = error.pos;
    return problem([], locator.offset(start, end), yamlMessage(error.code, error.message));
  });
  if (broken.length > 0) throw new ConfigError(file, text, broken);

  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (value === null || value === undefined) {
    throw new ConfigError(file, text, [
      problem([], locator.value([]), 'the file is empty', '`lifeboat init` in an empty folder writes one with comments'),
    ]);
  }
  const parsed = configSchema.safeParse(value);
  const problems = [
    ...(parsed.success ? [] : explainIssues(parsed.error.issues, value, locator)),
    ...checkReferences(value, locator),
    ...checkPlacement(value, locator, (path) => resolvePath(path, dirname(resolve(file)))),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(file, text, problems);
  return { ...resolvePaths(parsed.data, file), lineOf: (path) => `${file}:${locator.value(path).line}` };
}

function yamlMessage(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'this field is written twice';
  if (code === 'TAB_AS_INDENT') return 'indent with spaces: YAML does not allow tabs';
  if (code === 'MULTIPLE_DOCS') return 'the file holds more than one YAML document';
  return `this is not YAML: ${message}`;
}

function resolvePaths(raw: RawConfig, file: string): Omit<Config, 'lineOf'> {
  const folder = dirname(resolve(file));
  const path = (given: string): string => resolvePath(given, folder);
  const vault = (name: string, config: RawConfig['vaults'][string]): VaultConfig => ({ ...withPaths(config, path), name });
  const site = (config: SiteConfig): SiteConfig =>
    config.kubeconfig === undefined ? config : { ...config, kubeconfig: path(config.kubeconfig) };
  const opener = (config: OpenerConfig | undefined): OpenerConfig | undefined =>
    config && {
      ...config,
      ...(config.identityFile !== undefined && { identityFile: path(config.identityFile) }),
      ...(config.passphraseFile !== undefined && { passphraseFile: path(config.passphraseFile) }),
      ...(config.file !== undefined && { file: path(config.file) }),
      ...(config.kms && { kms: config.kms.map((one) => (one.tokenFile === undefined ? one : { ...one, tokenFile: path(one.tokenFile) })) }),
    };
  const { write, read, maintain, openers } = raw.keys ?? {};
  return {
    file,
    sites: new Map(Object.entries(raw.sites).map(([name, config]) => [name, site(config)])),
    vaults: new Map(Object.entries(raw.vaults).map(([name, config]) => [name, vault(name, config)])),
    writeKey: write?.file === undefined ? write : { file: path(write.file) },
    readKey: opener(read),
    maintainKey: opener(maintain),
    openers,
    control: raw.control,
    plans: new Map(Object.entries(raw.plans).map(([name, plan]) => [name, withAssets(plan, path)])),
    maintenance: raw.maintenance?.schedule,
    queue: queueWithPath(raw.queue, path),
    server: raw.server && serverWithPaths(raw.server, path),
    notify: raw.notify,
  };
}

/** The folder of the embedded queue, beside lifeboat.yaml. */
const QUEUE_FOLDER = '.lifeboat/queue';

function queueWithPath(queue: QueueConfig | undefined, path: (given: string) => string): QueueConfig {
  if (queue === undefined || queue.type === 'embedded') return { type: 'embedded', path: path(queue?.path ?? QUEUE_FOLDER) };
  return queue;
}

function serverWithPaths(server: ServerConfig, path: (given: string) => string): ServerConfig {
  const { audit, certificate, key, mtls } = server;
  return {
    ...server,
    ...(audit.key !== undefined && { audit: { ...audit, key: path(audit.key) } }),
    ...(certificate !== undefined && { certificate: path(certificate) }),
    ...(key !== undefined && { key: path(key) }),
    ...(mtls !== undefined && { mtls: { ...mtls, ca: path(mtls.ca) } }),
  };
}

function withAssets(plan: PlanConfig, path: (given: string) => string): PlanConfig {
  if (plan.drill?.assets === undefined) return plan;
  return { ...plan, drill: { ...plan.drill, assets: path(plan.drill.assets) } };
}

/** A vault with its paths changed. */
export function withPaths(config: VaultSettings, change: (path: string) => string): VaultSettings {
  if (config.type === 'directory') return { ...config, path: change(config.path) };
  if (config.type !== 'gcs' || config.credentials === undefined || !('keyFile' in config.credentials)) return config;
  return { ...config, credentials: { keyFile: change(config.credentials.keyFile) } };
}

/** A path as written in lifeboat.yaml or given on the command line: `~/` is the home folder, else relative to `folder`. */
export function resolvePath(given: string, folder: string): string {
  if (given === '~') return homedir();
  return given.startsWith('~/') ? resolve(homedir(), given.slice(2)) : resolve(folder, given);
}
