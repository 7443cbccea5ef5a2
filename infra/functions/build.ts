/**
 * `node infra/functions/build.ts google|azure|server FOLDER [lifeboat.yaml]`: bundles the functions for another platform than AWS into a folder that
 * is deployed as it is (docs/functions.md).
 */
import { copyFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { argv } from 'node:process';
import { bundleFunctions, entriesOf } from './bundle.ts';

const PLATFORMS = ['google', 'azure', 'server'] as const;
export type Platform = (typeof PLATFORMS)[number];

/** Bundles the functions for a platform into a folder, which is emptied first, with lifeboat.yaml beside them. */
export async function buildFor(platform: Platform, folder: string, configFile: string): Promise<void> {
  await bundleFunctions(folder, { entries: entriesOf([platform]) });
  // Where the module is, and what the platform has to install: the framework of Google finds functions in its own copy alone.
  const dependencies = platform === 'google' ? { '@google-cloud/functions-framework': '^5.0.5' } : {};
  const description = { name: 'lifeboat-functions', private: true, type: 'module', main: `functions/${platform}.js`, engines: { node: '24' }, dependencies };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(description, null, 2)}\n`);
  await copyFile(configFile, join(folder, 'lifeboat.yaml'));
  if (platform !== 'azure') return;
  // Ten minutes are the most that the consumption plan allows.
  const host = { version: '2.0', functionTimeout: '00:10:00', extensionBundle: { id: 'Microsoft.Azure.Functions.ExtensionBundle', version: '[4.*, 5.0.0)' } };
  await writeFile(join(folder, 'host.json'), `${JSON.stringify(host, null, 2)}\n`);
}

if (import.meta.main) {
  const [, , name, folder, config = 'lifeboat.yaml'] = argv;
  const platform = PLATFORMS.find((one) => one === name);
  if (platform === undefined || folder === undefined) {
    process.stderr.write(`usage: node infra/functions/build.ts ${PLATFORMS.join('|')} FOLDER [lifeboat.yaml]\n`);
    process.exitCode = 2;
  } else await buildFor(platform, resolve(folder), resolve(config));
}
