import type { OnWarning, Warning } from '../core/progress.ts';
import type { LifeboatError } from '../core/errors.ts';
import { ProgressView } from './progress.ts';
import type { ProgressMode } from './progress.ts';
import { Redactor } from '../core/redact.ts';
import { errorDocument, renderError } from './render-error.ts';
import { styleFor } from './style.ts';
import type { Style } from './style.ts';
import { printable } from './text.ts';
import { groupWarnings, isOfType } from './warning-groups.ts';

const DEFAULT_COLUMNS = 80;
const FEWEST_COLUMNS = 20;

/** The streams and surroundings of a run. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
}

/** How the user wants to be told. */
export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
  readonly progress: boolean;
}

/**
 * Everything that is shown. Results go to stdout, everything else to stderr; with `--json` stdout carries exactly
 * one JSON document. Nothing is written past the redactor except what was asked for by name.
 */
export class Output {
  readonly redactor = new Redactor();
  readonly options: OutputOptions;
  /** Colours for stdout. */
  readonly style: Style;
  readonly progress: ProgressView;
  readonly warnings: Warning[] = [];
  readonly #terminal: Terminal;
  readonly #errorStyle: Style;
  /** Warnings that may turn out to be many alike. */
  #heldBack: Warning[] = [];

  constructor(terminal: Terminal, options: OutputOptions) {
    this.#terminal = terminal;
    this.options = options;
    this.style = styleFor(terminal.stdout, terminal.env, options.color && !options.json);
    this.#errorStyle = styleFor(terminal.stderr, terminal.env, options.color);
    this.progress = new ProgressView({
      mode: progressMode(terminal, options),
      write: (text) => terminal.stderr.write(this.redactor.redact(text)),
      style: this.#errorStyle,
      // Some terminals say that they have no columns when they do not know.
      columns: () => Math.max(terminal.stderr.columns || DEFAULT_COLUMNS, FEWEST_COLUMNS),
    });
  }

  /** The command's result: `document` with `--json`, else `text`. Called once, at the end. */
  async result(document: { readonly ok: boolean; readonly [field: string]: unknown }, text: () => string): Promise<void> {
    this.progress.finish();
    this.#showHeldBack();
    if (this.options.json) {
      const whole = this.warnings.length > 0 ? { ...document, warnings: this.warnings } : document;
      await this.#out(`${JSON.stringify(whole, null, 2)}\n`);
      return;
    }
    const shown = text();
    if (shown !== '') await this.#out(shown.endsWith('\n') ? shown : `${shown}\n`);
  }

  /** A part of a long result for people. Not for `--json`. */
  async line(text: string): Promise<void> {
    await this.#out(`${text}\n`);
  }

  /** A line of a short result as soon as it is known. Not for `--json`, which has it in its document. */
  lineNow(text: string): void {
    if (this.options.json) return;
    this.progress.interrupt(() => this.#terminal.stdout.write(`${printable(this.redactor.redact(text))}\n`));
  }

  /** What the user asked to see as it is: an object, a key. Not redacted, so never anything else. */
  async verbatim(text: string): Promise<void> {
    this.progress.finish();
    this.#showHeldBack();
    await write(this.#terminal.stdout, text);
  }

  /** Something worth knowing on the way, on stderr; nothing with `--quiet` or `--json`. */
  note(text: string): void {
    if (this.options.quiet || this.options.json) return;
    this.#err(text);
  }

  /**
   * Shown at once, and kept for the `--json` document. Those about single types are held back for what is shown next,
   * so that many with the same cause become one; with `--verbose` they are not.
   */
  readonly warn: OnWarning = (warning) => {
    const known = this.warnings.some((one) => one.kind === warning.kind && one.message === warning.message && one.where === warning.where);
    if (known) return;
    this.warnings.push(warning);
    if (this.options.json) return;
    if (isOfType(warning) && !this.options.verbose) this.#heldBack.push(warning);
    else this.#showWarning(warning);
  };

  #showWarning(warning: Warning): void {
    const where = warning.where === undefined ? '' : ` (${warning.where})`;
    this.#err(`${this.#errorStyle.yellow('warning:')} ${warning.message}${where}`);
  }

  #showHeldBack(): void {
    const held = this.#heldBack;
    this.#heldBack = [];
    for (const warning of groupWarnings(held)) this.#showWarning(warning);
  }

  /** The error that ended the run: on stderr for people, on stdout with `--json`. */
  async error(error: LifeboatError): Promise<void> {
    this.progress.finish();
    this.#showHeldBack();
    if (this.options.json) {
      const document = errorDocument(error);
      const whole = this.warnings.length > 0 ? { ...document, warnings: this.warnings } : document;
      await this.#out(`${JSON.stringify(whole, null, 2)}\n`);
      if (!this.options.verbose) return;
    }
    this.#err(renderError(error, this.#errorStyle, this.options.verbose));
  }

  async #out(text: string): Promise<void> {
    await write(this.#terminal.stdout, printable(this.redactor.redact(text)));
  }

  #err(text: string): void {
    this.progress.interrupt(() => this.#terminal.stderr.write(`${printable(this.redactor.redact(text))}\n`));
  }
}

function progressMode(terminal: Terminal, options: OutputOptions): ProgressMode {
  if (options.json || options.quiet || !options.progress) return 'none';
  return terminal.stderr.isTTY && terminal.env['TERM'] !== 'dumb' ? 'live' : 'lines';
}

/** Writes and waits until it is taken: a pipe that is read slowly must not fill the memory. */
async function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
