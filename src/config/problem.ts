import { LifeboatError } from '../core/errors.ts';

/** One mistake in lifeboat.yaml. */
export interface ConfigProblem {
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 code units, as editors count. */
  readonly column: number;
  /** Characters the mistake covers on its line; at least 1. */
  readonly length: number;
  /** Where in the document: `vaults.offsite.bucket`; empty for the whole document. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** lifeboat.yaml has mistakes: all of them, in the order of the file. Code `LB_CONFIG_INVALID`. */
export class ConfigError extends LifeboatError {
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  /**
   * @param file the file as the user named it
   * @param text its contents, of which the offending lines are shown
   */
  constructor(file: string, text: string, problems: readonly ConfigProblem[]) {
    const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const first = sorted[0];
    const lines = text.split(/\r?\n/);
    const shown = sorted.map((problem) => renderProblem(file, lines, problem));
    const count = sorted.length === 1 ? 'a mistake' : `${sorted.length} mistakes`;
    super('LB_CONFIG_INVALID', `${file} has ${count}\n\n${shown.join('\n\n')}\n`, {
      where: `${file}:${first?.line ?? 1}:${first?.column ?? 1}`,
      hint: 'Correct the file; docs/configuration.md describes every field.',
    });
    this.file = file;
    this.problems = sorted;
  }
}

const LONGEST_LINE = 120;

/** The mistake with the line it stands on and a caret under it. */
function renderProblem(file: string, lines: readonly string[], problem: ConfigProblem): string {
  const subject = problem.path === '' ? '' : `${problem.path}: `;
  const out = [`  ${file}:${problem.line}:${problem.column}`, `    ${subject}${problem.message}`];
  const line = lines[problem.line - 1];
  if (line !== undefined && line.length <= LONGEST_LINE) {
    const gutter = String(problem.line);
    // Tabs are kept in front of the caret, so that it stands under its character whatever their width.
    const before = line.slice(0, problem.column - 1).replaceAll(/[^\t]/g, ' ');
    const carets = '^'.repeat(Math.max(1, Math.min(problem.length, line.length - problem.column + 1)));
    out.push(`    ${gutter} | ${line}`, `    ${' '.repeat(gutter.length)} | ${before}${carets}`);
  }
  if (problem.hint !== undefined) out.push(`    ${problem.hint}`);
  return out.join('\n');
}
