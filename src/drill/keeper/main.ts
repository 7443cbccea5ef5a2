/**
 * The keeper: a small process that a process which needs servers starts on first need. It starts the servers for its owner,
 * and when its owner is gone, however that came, it kills them and removes their folders. It runs in a session of
 * its own, so that neither Ctrl-C nor the death of its owner's process group reaches it.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { z } from 'zod';
import { createOwnedFolder, killGroup, noteProcess, removeFolder, sweepAbandonedFolders } from './folders.ts';
import { requestSchema } from './messages.ts';
import type { Report, Request } from './messages.ts';

const signalSchema = z.custom<NodeJS.Signals>((name) => typeof name === 'string' && name in constants.signals);

/** The running processes of each folder. */
const folders = new Map<string, Set<ChildProcess>>();

/** By the folders that others are made in. */
const swept = new Map<string, Promise<void>>();

/** Set when the owner is gone: nothing new is begun then. */
let leaving = false;

function tell(report: Report): void {
  // The owner may be gone already: then nobody needs the answer.
  if (process.connected) process.send?.(report, undefined, undefined, () => undefined);
}

async function start(request: Extract<Request, { do: 'start' }>): Promise<number> {
  const processes = processesOf(request.folder);
  const log = openSync(request.logFile, 'a', 0o600);
  const child = spawn(request.command, request.args, {
    cwd: request.folder,
    env: request.env,
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) {
    return await new Promise((_resolve, reject) => {
      child.once('error', reject);
    });
  }
  processes.add(child);
  child.once('exit', (code, signal) => {
    processes.delete(child);
    tell({ tell: 'ended', pid, code, signal });
  });
  noteProcess(request.folder, pid);
  return pid;
}

async function signal(request: Extract<Request, { do: 'signal' }>): Promise<void> {
  const child = [...processesOf(request.folder)].find(({ pid }) => pid === request.pid);
  if (child === undefined) return;
  const ended = endOf(child);
  killGroup(request.pid, signalSchema.parse(request.signal));
  if (request.wait) await ended;
}

async function close(folder: string): Promise<void> {
  const processes = processesOf(folder);
  folders.delete(folder);
  const ended = [...processes].map(endOf);
  for (const { pid } of processes) if (pid !== undefined) killGroup(pid, 'SIGKILL');
  await Promise.all(ended);
  await removeFolder(folder);
}

async function endOf(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
}

function processesOf(folder: string): Set<ChildProcess> {
  const processes = folders.get(folder);
  if (processes === undefined) throw new Error(`the folder ${folder} is not open`);
  return processes;
}

async function perform(request: Request): Promise<{ folder?: string; pid?: number }> {
  switch (request.do) {
    case 'open': {
      await sweptOnce(request.parent);
      if (leaving) throw new Error('the owner is gone');
      const folder = createOwnedFolder(request.parent, request.label);
      folders.set(folder, new Set());
      return { folder };
    }
    case 'start':
      return { pid: await start(request) };
    case 'signal':
      await signal(request);
      break;
    case 'close':
      await close(request.folder);
  }
  return {};
}

/** What keepers before this one left in a folder is removed before anything is put there. */
async function sweptOnce(parent: string): Promise<void> {
  const known = swept.get(parent) ?? sweepAbandonedFolders(parent);
  swept.set(parent, known);
  await known;
}

async function answer(message: unknown): Promise<void> {
  const request = requestSchema.parse(message);
  try {
    tell({ tell: 'done', id: request.id, ...(await perform(request)) });
  } catch (error) {
    tell({ tell: 'failed', id: request.id, message: error instanceof Error ? error.message : String(error) });
  }
}

async function leave(): Promise<void> {
  if (leaving) return;
  leaving = true;
  await Promise.allSettled([...folders.keys()].map(close));
  process.exit(0);
}

process.on('message', (message) => void answer(message));
process.once('disconnect', () => void leave());
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);
process.once('SIGTERM', () => void leave());
