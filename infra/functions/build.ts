/**
 * `node infra/functions/build.ts google|azure|server FOLDER [lifeboat.yaml]`: bundles the functions for another platform than AWS into a folder that
 * is deployed as it is (docs/functions.md).
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { argv } from 'node:process';
import { isLifeboatError, LifeboatError } from '../../src/core/errors.ts';
import { isSystemError } from '../../src/core/system-error.ts';
import { bundleFunctions, entriesOf } from './bundle.ts';

const PLATFORMS = ['google', 'azure', 'server'] as const;
export type Platform = (typeof PLATFORMS)[number];

/** What the package.json of a folder that was built says. */
const NAME = 'lifeboat-functions';

/**
 * Bundles the functions for a platform into a folder, with lifeboat.yaml beside them; what an earlier build left there goes.
 * Throws `LB_CONFIG_MISSING`, and `LB_USAGE` when the folder holds anything else: that would be removed too.
 */
export async function buildFor(platform: Platform, folder: string, configFile: string): Promise<void> {
  const config = await readFile(configFile).catch((error: unknown) => {
    throw new LifeboatError('LB_CONFIG_MISSING', 'lifeboat.yaml cannot be read', { where: configFile, hint: 'Name it behind the folder.', cause: error });
  });
  await requireOwn(folder);
  await bundleFunctions(folder, { entries: entriesOf([platform]) });
  // Where the module is, and what the platform has to install: the framework of Google finds functions in its own copy alone.
  const dependencies = platform === 'google' ? { '@google-cloud/functions-framework': '^5.0.5' } : {};
  const description = { name: NAME, private: true, type: 'module', main: `functions/${platform}.js`, engines: { node: '24' }, dependencies };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(description, null, 2)}\n`);
  await writeFile(join(folder, 'lifeboat.yaml'), config);
  if (platform !== 'azure') return;
  // Ten minutes are the most that the consumption plan allows.
  const host = { version: '2.0', functionTimeout: '00:10:00', extensionBundle: { id: 'Microsoft.Azure.Functions.ExtensionBundle', version: '[4.*, 5.0.0)' } };
  await writeFile(join(folder, 'host.json'), `${JSON.stringify(host, null, 2)}\n`);
}

/** Throws `LB_USAGE` unless the folder is empty, not there yet, or one that was built before. */
async function requireOwn(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: unknown) => {
    if (isSystemError(error, 'ENOENT')) return [];
    throw new LifeboatError('LB_USAGE', 'The folder cannot be read', { where: folder, hint: 'Name a folder that is empty, or not there yet.', cause: error });
  });
  const description = entries.length === 0 ? undefined : await readFile(join(folder, 'package.json'), 'utf8').catch(() => '');
  if (description === undefined || description.includes(`"name": "${NAME}"`)) return;
  throw new LifeboatError('LB_USAGE', 'The folder holds something else than functions that were built, and all of it would be removed', {
    where: folder,
    hint: 'Name a folder that is empty, or not there yet.',
  });
}

if (import.meta.main) {
  const [, , name, folder, config = 'lifeboat.yaml'] = argv;
  const platform = PLATFORMS.find((one) => one === name);
  if (platform === undefined || folder === undefined) {
    process.stderr.write(`usage: node infra/functions/build.ts ${PLATFORMS.join('|')} FOLDER [lifeboat.yaml]\n`);
    process.exitCode = 2;
  } else {
    await buildFor(platform, resolve(folder), resolve(config)).catch((error: unknown) => {
      if (!isLifeboatError(error)) throw error;
      process.stderr.write(`error: ${error.message}\n  at ${error.where ?? ''}\n  fix: ${error.hint ?? ''}\n  code: ${error.code} (docs/errors.md)\n`);
      process.exitCode = 2;
    });
  }
}
