import { z } from 'zod';
import { LifeboatError } from '../../core/errors.ts';
import type { MaintainKey } from '../../keys/index.ts';
import { sha256Hex } from '../bytes.ts';
import { compactTime } from '../layout.ts';
import type { RemovalKeys } from '../removal/tombstone.ts';
import { decodeWholeSignedJson, encodeSignedJson } from '../signed-json.ts';

export const MARKS_PREFIX = 'marks/';
/** `20260314T021500Z-` and the SHA-256 of the mark. */
export const MARK_NAME = /^\d{8}T\d{6}Z-[0-9a-f]{64}$/;

/** Keys that may be marked: packs and index objects. */
export const SWEEPABLE = /^(?:packs\/[0-9a-f]{2}\/[0-9a-f]{64}|index\/\d{8}T\d{6}Z-[0-9a-f]{64})$/;

const markSchema = z.object({ repository: z.string(), markedAt: z.iso.datetime(), objects: z.array(z.string().regex(SWEEPABLE)) });
const MARK = { format: 'lifeboat-sweep-mark', purpose: 'lifeboat/1/sweep' as const, schema: markSchema };
const seenSchema = z.object({ repository: z.string(), mark: z.string().regex(MARK_NAME), seenAt: z.iso.datetime() });
const SEEN = { format: 'lifeboat-sweep-seen', purpose: 'lifeboat/1/sweep' as const, schema: seenSchema };
const doneSchema = z.object({ repository: z.string(), mark: z.string().regex(MARK_NAME), doneAt: z.iso.datetime() });
const DONE = { format: 'lifeboat-sweep-done', purpose: 'lifeboat/1/sweep' as const, schema: doneSchema };

/** What the sweep found that no point needs. */
export interface Mark {
  readonly name: string;
  /** Milliseconds since the epoch: before it was stored. */
  readonly markedAt: number;
  /** A moment at which it was in every vault: the grace period begins. `undefined` when nobody has said so yet. */
  readonly seenAt?: number;
  /** Keys in the vault. */
  readonly objects: readonly string[];
}

export function markKey(name: string): string {
  return `${MARKS_PREFIX}${name}`;
}

/** Says since when a mark is in every vault. */
export function seenKey(name: string): string {
  return `${MARKS_PREFIX}${name}.seen`;
}

/** Says that a mark was dealt with, and counts no more: so nobody can put it back later. */
export function doneKey(name: string): string {
  return `${MARKS_PREFIX}${name}.done`;
}

/** A mark and what it is called. */
export function encodeMark(markedAt: number, objects: readonly string[], key: MaintainKey): { readonly mark: Mark; readonly bytes: Buffer } {
  const document = { repository: key.repositoryId, markedAt: new Date(markedAt).toISOString(), objects };
  const bytes = encodeSignedJson(MARK, document, key.maintainKey);
  return { mark: { name: nameOf(bytes, markedAt), markedAt, objects }, bytes };
}

/** Throws `LB_REPO_FORGED`, `LB_REPO_DAMAGED`, `LB_REPO_NEWER_FORMAT` unless the maintain role signed it, and it is called so. */
export function decodeMark(bytes: Uint8Array, name: string, keys: RemovalKeys): Mark {
  const { repository, markedAt, objects } = decodeWholeSignedJson(MARK, bytes, keys.maintainPublicKey);
  const time = Date.parse(markedAt);
  if (repository !== keys.repositoryId || nameOf(bytes, time) !== name) throw elsewhere();
  return { name, markedAt: time, objects };
}

export function encodeSeen(mark: string, seenAt: number, key: MaintainKey): Buffer {
  return encodeSignedJson(SEEN, { repository: key.repositoryId, mark, seenAt: new Date(seenAt).toISOString() }, key.maintainKey);
}

/** The moment that is signed there. Throws as `decodeMark`. */
export function decodeSeen(bytes: Uint8Array, name: string, keys: RemovalKeys): number {
  const { repository, mark, seenAt } = decodeWholeSignedJson(SEEN, bytes, keys.maintainPublicKey);
  if (repository !== keys.repositoryId || mark !== name) throw elsewhere();
  return Date.parse(seenAt);
}

export function encodeDone(mark: string, doneAt: number, key: MaintainKey): Buffer {
  return encodeSignedJson(DONE, { repository: key.repositoryId, mark, doneAt: new Date(doneAt).toISOString() }, key.maintainKey);
}

/** Throws as `decodeMark`. */
export function checkDone(bytes: Uint8Array, name: string, keys: RemovalKeys): void {
  const { repository, mark } = decodeWholeSignedJson(DONE, bytes, keys.maintainPublicKey);
  if (repository !== keys.repositoryId || mark !== name) throw elsewhere();
}

function nameOf(bytes: Uint8Array, markedAt: number): string {
  return `${compactTime(markedAt)}-${sha256Hex(bytes)}`;
}

function elsewhere(): LifeboatError {
  return new LifeboatError('LB_REPO_FORGED', 'This is of another mark or repository, put in another place');
}
