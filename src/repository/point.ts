import { z } from 'zod';
import { LifeboatError, messageOf } from '../core/errors.ts';
import type { Secret } from '../keys/index.ts';
import type { Opener, Sealer } from '../keys/sealing.ts';
import type { Json, PointHeader } from './api.ts';
import { sha256Hex } from './bytes.ts';
import { compress, decompress } from './compression.ts';
import { INDEX_ID, POINT_ID, SHA256_HEX, SITE_NAME } from './layout.ts';
import { decodePackTable } from './pack-table.ts';
import type { PackRef } from './pack-table.ts';
import { decodeSignedJson, encodeSignedJson } from './signed-json.ts';

const MANIFEST_INFO = 'lifeboat/1/manifest';
const MAX_MANIFEST = 256 * 1024 * 1024;

const count = z.int().min(0);
const sha256 = z.string().regex(SHA256_HEX);
const sectionSchema = z.object({ bytes: count, sha256 });

const pointSchema = z.object({
  repository: z.string(),
  id: z.string().regex(POINT_ID),
  site: z.string().regex(SITE_NAME),
  at: z.iso.datetime(),
  startedAt: z.iso.datetime(),
  committedAt: z.iso.datetime(),
  previous: z.array(z.object({ id: z.string().regex(POINT_ID), sha256 })),
  complete: z.boolean(),
  stats: z.object({
    recordsTotal: count,
    plaintextBytes: count,
    newChunks: count,
    newPlaintextBytes: count,
    packs: count,
    storedBytes: count,
  }),
  slots: z.array(sha256),
  indexes: z.array(z.string().regex(INDEX_ID)),
  packTable: sectionSchema,
  manifest: sectionSchema,
});

const KIND = { format: 'lifeboat-point', purpose: 'lifeboat/1/point' as const, schema: pointSchema };

/** What a point says in the clear beside its `PointHeader`: what must be in the vault with it. */
export interface PointContext {
  readonly header: PointHeader;
  /** Key slots that were known when it was written. */
  readonly slots: readonly string[];
  /** Index objects that were known when it was written, its own included. */
  readonly indexes: readonly string[];
}

/** The clear, signed beginning of a point. */
export interface PointHead extends PointContext {
  /** Bytes of the whole point object. */
  readonly size: number;
  readonly sections: {
    readonly at: number;
    readonly packTable: { readonly bytes: number; readonly sha256: string };
    readonly manifest: { readonly bytes: number; readonly sha256: string };
  };
}

/** A whole point, checked; only its manifest is still sealed. */
export interface Point extends PointContext {
  readonly packs: readonly PackRef[];
  readonly sealedManifest: Uint8Array;
  /** SHA-256 of the whole object. */
  readonly sha256: string;
}

/** The same with the pack table as it is. */
export interface PointSections extends Omit<Point, 'packs'> {
  readonly packTable: Uint8Array;
  /** How many bytes the signature and what it signs take. */
  readonly signedBytes: number;
}

/** What a point's signature must bind it to. */
export interface PointPlace {
  readonly repositoryId: string;
  readonly site: string;
  readonly id: string;
}

/** The manifest, compressed and sealed to the read key; bound to repository, site and point. */
export async function sealManifest(manifest: Json, place: PointPlace, sealer: Sealer): Promise<Buffer> {
  const packed = await compress(Buffer.from(JSON.stringify(manifest)));
  return Buffer.from(await sealer.seal(packed, MANIFEST_INFO, manifestAad(place)));
}

/** Throws `LB_REPO_DAMAGED` when the manifest was not sealed to this key for this point. */
export async function openManifest(sealed: Uint8Array, place: PointPlace, opener: Opener): Promise<Json> {
  const packed = await opener.open(sealed, MANIFEST_INFO, manifestAad(place));
  try {
    return z.json().parse(JSON.parse((await decompress(packed, MAX_MANIFEST)).toString()));
  } catch (error) {
    throw new LifeboatError('LB_REPO_DAMAGED', `The manifest cannot be read: ${messageOf(error)}`);
  }
}

function manifestAad(place: PointPlace): Buffer {
  return Buffer.from(`${place.repositoryId}\n${place.site}\n${place.id}`);
}

/** The whole point object: signed JSON, pack table, sealed manifest. docs/format.md, "Recovery points". */
export function encodePoint(
  point: PointContext & {
    readonly repositoryId: string;
    readonly packTable: Uint8Array;
    readonly sealedManifest: Uint8Array;
  },
  signingKey: Secret,
): Buffer {
  const { header, packTable, sealedManifest } = point;
  const document = {
    repository: point.repositoryId,
    id: header.id,
    site: header.site,
    at: header.at,
    startedAt: header.startedAt,
    committedAt: header.committedAt,
    previous: header.previous,
    complete: header.complete,
    stats: header.stats,
    slots: point.slots,
    indexes: point.indexes,
    packTable: { bytes: packTable.length, sha256: sha256Hex(packTable) },
    manifest: { bytes: sealedManifest.length, sha256: sha256Hex(sealedManifest) },
  };
  return Buffer.concat([encodeSignedJson(KIND, document, signingKey), packTable, sealedManifest]);
}

/**
 * Reads the beginning of a point and checks that its signature binds it to this place: a point copied under another
 * id, to another site or from another repository is refused like an edited one.
 * Throws `LB_REPO_FORGED`, `LB_REPO_DAMAGED`, `LB_REPO_NEWER_FORMAT`.
 */
export function decodePointHead(bytes: Uint8Array, place: PointPlace, signingPublicKey: Uint8Array): PointHead {
  const { document, length } = decodeSignedJson(KIND, bytes, signingPublicKey);
  const { repository, slots, indexes, packTable, manifest, ...header } = document;
  if (repository !== place.repositoryId || header.site !== place.site || header.id !== place.id) {
    throw new LifeboatError(
      'LB_REPO_FORGED',
      `This is point ${header.id} of site ${header.site} in repository ${repository}, put in another place`,
    );
  }
  const size = length + packTable.bytes + manifest.bytes;
  return { header, slots, indexes, size, sections: { at: length, packTable, manifest } };
}

/** Reads a whole point: as `decodePointHead`, and every byte after the signed part is checked by its hash. */
export function decodePoint(bytes: Uint8Array, place: PointPlace, signingPublicKey: Uint8Array): Point {
  const { packTable, ...rest } = decodeSections(bytes, place, signingPublicKey);
  return { ...rest, packs: decodePackTable(packTable) };
}

/** The same with the pack table as it is: that of a large point takes ten times as much as objects. */
export function decodeSections(bytes: Uint8Array, place: PointPlace, signingPublicKey: Uint8Array): PointSections {
  const { header, slots, indexes, size, sections } = decodePointHead(bytes, place, signingPublicKey);
  if (bytes.length !== size) {
    throw new LifeboatError('LB_REPO_DAMAGED', `The point has ${bytes.length} bytes and should have ${size}`);
  }
  const manifestAt = sections.at + sections.packTable.bytes;
  const packTable = bytes.subarray(sections.at, manifestAt);
  const sealedManifest = bytes.subarray(manifestAt);
  if (sha256Hex(packTable) !== sections.packTable.sha256 || sha256Hex(sealedManifest) !== sections.manifest.sha256) {
    throw new LifeboatError('LB_REPO_DAMAGED', 'The point is damaged after its signed part');
  }
  return { header, slots, indexes, packTable, sealedManifest, signedBytes: sections.at, sha256: sha256Hex(bytes) };
}
