#!/usr/bin/env node
// Starts lifeboat. Plain JavaScript that any Node since 14 can read, because its first job is to say, or mend,
// that the Node it was started with is too old for the rest.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import nodeModule from 'node:module';
import { constants } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST = [24, 7];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) {
  await start();
} else {
  const own = ownNode();
  if (own === undefined || process.execPath === own) {
    process.stderr.write(
      `error: lifeboat needs Node ${OLDEST.join('.')} or newer; this is Node ${process.versions.node} (${process.execPath})\n` +
        '  fix: Install a newer Node from https://nodejs.org, or run `npm ci` in the folder of lifeboat, which brings one.\n',
    );
    process.exitCode = 2;
  } else {
    restart(own);
  }
}

/** Runs lifeboat in this process. */
async function start() {
  // Node says that parts of its own cryptography are experimental, and, unless it is a package that asks for it, that its `punycode` is old: users can do
  // nothing about either.
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name !== 'ExperimentalWarning' && !('code' in warning && warning.code === 'DEP0040')) process.stderr.write(`${warning.name}: ${warning.message}\n`);
  });
  keepCompiled();
  const { tuneEngine } = await import('./engine.ts');
  tuneEngine();
  const { main } = await import('./main.ts');
  process.exitCode = await main(process.argv.slice(2));
}

/**
 * Has what is compiled kept for the next start, which then takes 0.2 s of the processor's time instead of 0.5. Where it cannot
 * be kept nothing is lost. `NODE_COMPILE_CACHE` names another folder, `NODE_DISABLE_COMPILE_CACHE=1` turns it off.
 */
function keepCompiled() {
  const { HOME = '', XDG_CACHE_HOME = '' } = process.env;
  const caches = XDG_CACHE_HOME === '' ? join(HOME, '.cache') : XDG_CACHE_HOME;
  if (isAbsolute(caches)) nodeModule.enableCompileCache(join(caches, 'lifeboat', 'compiled'));
}

/** The Node that `npm ci` brought along, where there is one. */
function ownNode() {
  try {
    const path = nodeModule.createRequire(import.meta.url).resolve('node/bin/node');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Runs this file again with another Node, as if it had been started with it: same terminal, signals, exit code.
 * @param {string} node path of the other Node
 */
function restart(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`error: ${node} cannot be started: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === null ? 1 : 128 + constants.signals[signal]);
  });
}
