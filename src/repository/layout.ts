import { randomBytes } from 'node:crypto';

/** The version of the repository format this code writes, and the newest it reads. docs/format.md. */
export const FORMAT_VERSION = 1;

/** Where things are in a vault. docs/format.md, "Layout". */
export const HEADER_KEY = 'lifeboat.json';
export const SLOTS_PREFIX = 'keys/';
export const PACKS_PREFIX = 'packs/';
export const INDEX_PREFIX = 'index/';
export const POINTS_PREFIX = 'points/';
export const RESCUE_PREFIX = 'rescue/';
/** What verifications leave behind. */
export const REPORTS_PREFIX = 'reports/verify/';

/** What long work leaves behind, so that it is known of when the queue is lost. */
export const JOBS_PREFIX = 'jobs/';

/** Lower-case hex of a SHA-256. */
export const SHA256_HEX = /^[0-9a-f]{64}$/;

/** `20260314T021500Z-9f3a5c7e`: the time in seconds, then its milliseconds as 3 hex digits, then 5 random ones. */
export const POINT_ID = /^\d{8}T\d{6}Z-[0-9a-f]{8}$/;

/** `20260314T021500Z-` and the SHA-256 of the index object: the time tells left-overs from what was merged into another. */
export const INDEX_ID = /^\d{8}T\d{6}Z-[0-9a-f]{64}$/;

/** As an index object's: the time the verification ended, and the SHA-256 of the report. */
export const REPORT_ID = /^\d{8}T\d{6}Z-[0-9a-f]{64}$/;

/** One segment of an object key, at most 63 characters: safe in every store. */
export const SITE_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,62}$/;

export function packKey(id: string): string {
  return `${PACKS_PREFIX}${id.slice(0, 2)}/${id}`;
}

export function indexKey(id: string): string {
  return `${INDEX_PREFIX}${id}`;
}

/** The SHA-256 in an index object's id. */
export function indexHash(id: string): string {
  return id.slice(-64);
}

export function reportKey(id: string): string {
  return `${REPORTS_PREFIX}${id}`;
}

export function pointKey(site: string, id: string): string {
  return `${POINTS_PREFIX}${site}/${id}`;
}

export function slotKey(id: string): string {
  return `${SLOTS_PREFIX}${id}`;
}

/** Says that a slot was removed on purpose. */
export function tombstoneKey(slot: string): string {
  return `${SLOTS_PREFIX}${slot}.removed`;
}

/** The time as it begins point ids: ISO 8601 basic format, UTC, whole seconds. */
export function compactTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

/** A new id for a point committed at this time; ids sort by time. */
export function pointId(ms: number): string {
  const milliseconds = (ms % 1000).toString(16).padStart(3, '0');
  return `${compactTime(ms)}-${milliseconds}${randomBytes(3).toString('hex').slice(1)}`;
}
