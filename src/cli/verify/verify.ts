import { EXIT } from '../../core/error-codes.ts';
import type { VerifyReport } from '../../repository/api.ts';
import type { Context } from '../context.ts';
import { loadOpenersIfAny } from '../key-files.ts';
import { unlockWith, withVaults } from '../repository.ts';
import type { Style } from '../style.ts';
import { formatBytes, formatCount, formatTable, plural } from '../text.ts';
import type { ReadKeyOptions, VaultOptions } from '../command.ts';

export interface VerifyOptions extends VaultOptions, ReadKeyOptions {
  readonly data?: boolean;
}

/** `lifeboat verify`: what is lost, damaged or forged. Exit 4 when something is. */
export async function verify(context: Context, options: VerifyOptions): Promise<number> {
  const { output, signal } = context;
  return withVaults(context, options, async (vaults, configs) => {
    const { verify: examine } = await import('../../repository/index.ts');
    const openers = await loadOpenersIfAny(context, options, 'read');
    const keys = openers.length === 0 ? undefined : await unlockWith(context, vaults, openers, 'read');
    const report = await examine({
      vaults,
      ...(keys !== undefined && { keys }),
      depth: options.data === true ? 'data' : 'structure',
      onProgress: output.progress.report,
      signal,
    });
    // A vault that could not be opened is one that nothing can be restored from.
    const unopened = configs.map((config) => config.name).filter((name) => !vaults.some((vault) => vault.name === name));
    const ok = report.findings.length === 0 && unopened.length === 0;
    await output.result({ ok, ...report, unopened }, () => reportText(report, unopened, output.style));
    return ok ? EXIT.ok : EXIT.findings;
  });
}

const DEPTH = {
  structure: 'structure only: --data reads every byte',
  data: 'every byte, unopened: with a key that opens the repository contents are checked as well',
  'data-opened': 'every byte, opened',
} as const;

function reportText(report: VerifyReport, unopened: readonly string[], style: Style): string {
  const table = formatTable(
    [{ title: 'vault' }, { title: 'objects', right: true }, { title: 'read', right: true }, { title: 'points', right: true }, { title: 'intact', right: true }],
    report.vaults.map((vault) => [vault.name, formatCount(vault.objects), formatBytes(vault.bytesRead), formatCount(vault.points), formatCount(vault.intactPoints)]),
  );
  const findings = report.findings.map(({ vault, object, kind, message, points }) => {
    const touched = points.length === 0 ? '' : ` (needed by ${plural(points.length, 'point')}: ${points.slice(0, 3).join(', ')}${points.length > 3 ? ', …' : ''})`;
    return `${style.red(kind)}  vault ${vault}, ${object === '' ? 'the whole vault' : object}: ${message}${touched}`;
  });
  const leavings = report.unreferenced === 0 ? [] : [`${plural(report.unreferenced, 'object')} that no point needs, left by interrupted backups: harmless`];
  const broken = report.findings.length + unopened.length;
  return [
    table,
    '',
    `checked: ${DEPTH[report.depth]}`,
    ...leavings,
    ...unopened.map((name) => `${style.red('unreachable')}  vault ${name} could not be opened`),
    ...findings,
    broken === 0 ? style.green('nothing is missing, damaged or forged') : style.red(plural(broken, 'finding')),
  ].join('\n');
}
