import { access } from 'node:fs/promises';
import { relative } from 'node:path';
import { EXIT } from '../../core/error-codes.ts';
import { LifeboatError } from '../../core/errors.ts';
import type { Context } from '../context.ts';
import type { InitOptions } from './answers.ts';
import { createFromOptions } from './create.ts';
import { extendFromConfig } from './extend.ts';
import type { InitReport } from './report.ts';

/** `lifeboat init`: everything from nothing, or what is missing beside a lifeboat.yaml that exists. */
export async function init(context: Context, options: InitOptions): Promise<number> {
  const exists = await access(context.path(context.configFile)).then(
    () => true,
    () => false,
  );
  if (exists && [options.site, options.kubeconfig, options.context, options.vault].some((given) => given !== undefined)) {
    throw new LifeboatError('LB_CONFIG_EXISTS', `There is a ${context.configFile} already, and nothing is overwritten`, {
      where: context.path(context.configFile),
      hint: 'Change it in an editor, then run `lifeboat init` without these options: it sets up the vaults that were added.',
    });
  }
  const report = exists ? await extendFromConfig(context, options) : await createFromOptions(context, options);
  await context.output.result({ ok: true, ...report }, () => initText(context, report));
  return EXIT.ok;
}

const MEANING = {
  config: 'what is protected, and where to',
  'write-key': 'adds recovery points and cannot read them: stays on this machine',
  identity: 'opens every recovery point: see below',
} as const;

function initText(context: Context, report: InitReport): string {
  const { style } = context.output;
  const shown = (path: string): string => {
    const inside = relative(context.folder, path);
    return inside.startsWith('..') ? path : inside;
  };
  const files = report.files.map(({ path, kind }) => [shown(path), MEANING[kind]] as const);
  const vaults = report.vaults.map(({ name, location, created }) => [`vault ${name}`, `${location}${created ? '' : ' (was set up already)'}`] as const);
  const width = Math.max(0, ...[...files, ...vaults].map(([left]) => left.length));
  const lines = [...files, ...vaults].map(([left, right]) => `  ${style.bold(left.padEnd(width))}  ${right}`);
  const identity = report.files.find((file) => file.kind === 'identity');
  const advice =
    identity === undefined
      ? []
      : [
          '',
          `${style.yellow('Keep a copy')} of ${shown(identity.path)} where neither the cluster, nor this machine, nor the vaults can take it along:`,
          'without it nobody can restore. On a machine that only makes backups, take it away, and `keys.read` out of lifeboat.yaml.',
        ];
  const next =
    report.repository === undefined
      ? ['', `Next: put your own vaults into ${shown(report.config)}, then run \`lifeboat init\` again: it makes the keys and sets them up.`]
      : [
          '',
          'Next:',
          '  lifeboat doctor      try everything a backup needs',
          '  lifeboat placement   which losses the backups survive, once lifeboat.yaml says where things stand (`domain`)',
          '  lifeboat backup      take a recovery point',
          '  lifeboat keys export --role maintain -o FILE   the key for a machine that takes away old points, which can do nothing else',
        ];
  const done = report.files.length > 0 || report.vaults.some((vault) => vault.created);
  return [done ? 'set up:' : 'everything was set up already:', ...lines, ...advice, ...(done ? next : [])].join('\n');
}
