import { resolve } from 'node:path';
import type { Config } from '../config/load.ts';
import type { PlanConfig } from '../config/schema.ts';
import { isLifeboatError, LifeboatError } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import { unknownName } from '../access/surroundings.ts';
import type { Surroundings } from '../access/surroundings.ts';
import type { Output, Terminal } from './output.ts';
import { askSecret, canAsk } from './prompt.ts';

/** Options every command takes. */
export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color: boolean;
  readonly progress: boolean;
}

const DEFAULT_FILE = 'lifeboat.yaml';

/** What a command works with: the surroundings, the output, and lifeboat.yaml when it is asked for. */
export class Context implements Surroundings {
  readonly globals: GlobalOptions;
  readonly terminal: Terminal;
  readonly output: Output;
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal;
  /** Relative paths on the command line are relative to this. */
  readonly folder: string = process.cwd();
  #config: Promise<Config> | undefined;

  constructor(globals: GlobalOptions, terminal: Terminal, output: Output, signal: AbortSignal) {
    this.globals = globals;
    this.terminal = terminal;
    this.output = output;
    this.signal = signal;
  }

  get env(): NodeJS.ProcessEnv {
    return this.terminal.env;
  }

  get warn(): OnWarning {
    return this.output.warn;
  }

  hide(secret: string): void {
    this.output.redactor.add(secret);
  }

  get askPassphrase(): (() => Promise<string>) | undefined {
    if (!canAsk(this.terminal) || this.globals.json === true) return undefined;
    return () => askSecret(this.terminal, 'Passphrase of the repository: ', this.signal);
  }

  /** lifeboat.yaml as the user named it. */
  get configFile(): string {
    const named = this.globals.config ?? this.env['LIFEBOAT_CONFIG'];
    return named === undefined || named === '' ? DEFAULT_FILE : named;
  }

  /** lifeboat.yaml, read once. Throws `LB_CONFIG_MISSING` and `LB_CONFIG_INVALID`. */
  async config(): Promise<Config> {
    this.#config ??= import('../config/load.ts').then(({ loadConfig }) => loadConfig(this.configFile));
    return this.#config;
  }

  /** lifeboat.yaml, or undefined when there is none and the user did not name one. */
  async configIfAny(): Promise<Config | undefined> {
    try {
      return await this.config();
    } catch (error) {
      const named = this.globals.config ?? this.env['LIFEBOAT_CONFIG'];
      if (isLifeboatError(error, 'LB_CONFIG_MISSING') && named === undefined) return undefined;
      throw error;
    }
  }

  /** An absolute path of one given on the command line. */
  path(given: string): string {
    return resolve(this.folder, given);
  }

  /** The plan of this name, or the only one. Throws `LB_USAGE`. */
  async plan(name: string | undefined): Promise<{ readonly name: string; readonly plan: PlanConfig; readonly config: Config }> {
    const config = await this.config();
    const names = [...config.plans.keys()];
    const chosen = name ?? (names.length === 1 ? names[0] : undefined);
    if (chosen === undefined) {
      throw names.length === 0
        ? new LifeboatError('LB_USAGE', `${config.file} has no plan`, { where: config.file, hint: 'Add one under `plans:`.' })
        : new LifeboatError('LB_USAGE', 'There are several plans', { hint: `Say which: ${names.join(', ')}.` });
    }
    const plan = config.plans.get(chosen);
    if (plan === undefined) throw await unknownName('plan', chosen, names, config.file);
    return { name: chosen, plan, config };
  }
}
