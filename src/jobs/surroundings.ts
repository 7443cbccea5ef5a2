import { resolve } from 'node:path';
import type { Surroundings } from '../access/surroundings.ts';
import type { Config } from '../config/load.ts';
import type { OnWarning } from '../core/progress.ts';
import type { Redactor } from '../core/redact.ts';
import type { SeenObjects } from '../repository/index.ts';

/** What a process that works on jobs is started with. */
export interface WorkSettings {
  readonly env: NodeJS.ProcessEnv;
  /** Path of lifeboat.yaml. */
  readonly configFile: string;
  readonly redactor: Redactor;
  /** Gives lifeboat.yaml in place of the file, where there is none. */
  readonly loadConfig?: () => Promise<Config>;
  readonly seen?: SeenObjects | undefined;
}

/** The surroundings of jobs: lifeboat.yaml is read once, and nobody can be asked anything. */
export class WorkSurroundings implements Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
  readonly configFile: string;
  readonly signal: AbortSignal;
  readonly warn: OnWarning;
  readonly seen: SeenObjects | undefined;
  readonly #settings: WorkSettings;
  #config: Promise<Config> | undefined;

  constructor(settings: WorkSettings, signal: AbortSignal, warn: OnWarning) {
    this.#settings = settings;
    this.env = settings.env;
    this.configFile = settings.configFile;
    this.folder = resolve('.');
    this.signal = signal;
    this.warn = warn;
    this.seen = settings.seen;
  }

  /** The same for one step of a job. */
  forStep(signal: AbortSignal, warn: OnWarning): WorkSurroundings {
    const loadConfig = (): Promise<Config> => this.config();
    return new WorkSurroundings({ ...this.#settings, loadConfig }, signal, warn);
  }

  config(): Promise<Config> {
    const { loadConfig } = this.#settings;
    this.#config ??= loadConfig === undefined ? import('../config/load.ts').then((config) => config.loadConfig(this.configFile)) : loadConfig();
    return this.#config;
  }

  configIfAny(): Promise<Config> {
    return this.config();
  }

  hide(secret: string): void {
    this.#settings.redactor.add(secret);
  }
}
