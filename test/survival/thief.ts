import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteObjectCommand, GetObjectCommand, ListObjectVersionsCommand, PutObjectCommand, PutObjectRetentionCommand, S3Client } from '@aws-sdk/client-s3';
import { loadConfig } from '../../src/config/load.ts';
import { parseWriteKey } from '../../src/keys/index.ts';
import type { WriteKey } from '../../src/keys/index.ts';
import { openVault } from '../../src/vault/open.ts';
import type { Vault } from '../../src/vault/vault.ts';

/** One version of an object in a bucket; of a mark of deletion `isMark`. */
export interface StoredVersion {
  readonly key: string;
  readonly id: string;
  readonly isMark: boolean;
}

/** Somebody who has the folder of the machine that makes backups, and its environment, and nothing else. */
export class Thief {
  readonly key: WriteKey;
  /** Every file he found, as text. */
  readonly files: ReadonlyMap<string, string>;
  /** The vault as lifeboat opens it with what he found. */
  readonly vault: Vault;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  private constructor(files: ReadonlyMap<string, string>, key: WriteKey, vault: Vault, place: { readonly client: S3Client; readonly bucket: string; readonly prefix: string }) {
    this.files = files;
    this.key = key;
    this.vault = vault;
    this.#client = place.client;
    this.#bucket = place.bucket;
    this.#prefix = place.prefix;
  }

  /** Reads `lifeboat.yaml` of a folder, and what that names. */
  static async of(folder: string): Promise<Thief> {
    const config = await loadConfig(join(folder, 'lifeboat.yaml'));
    const [vault] = [...config.vaults.values()];
    const keyFile = config.writeKey?.file;
    if (vault?.type !== 's3' || keyFile === undefined || config.readKey !== undefined) throw new Error('this is not the configuration of a writer');
    const files = new Map([
      ['lifeboat.yaml', await readFile(join(folder, 'lifeboat.yaml'), 'utf8')],
      [keyFile, await readFile(keyFile, 'utf8')],
    ]);
    const named = vault.credentials;
    if (named === undefined || !('accessKeyIdEnv' in named)) throw new Error('it names no credentials');
    const credentials = { accessKeyId: process.env[named.accessKeyIdEnv] ?? '', secretAccessKey: process.env[named.secretAccessKeyEnv] ?? '' };
    const client = new S3Client({ endpoint: vault.endpoint ?? '', credentials, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1 });
    const place = { client, bucket: vault.bucket, prefix: vault.prefix === undefined ? '' : `${vault.prefix}/` };
    return new Thief(files, parseWriteKey(files.get(keyFile) ?? ''), await openVault(vault), place);
  }

  /** All versions of all objects, as far as he may see them. */
  async versions(): Promise<readonly StoredVersion[]> {
    const found: StoredVersion[] = [];
    const { Versions = [], DeleteMarkers = [] } = await this.#client.send(new ListObjectVersionsCommand({ Bucket: this.#bucket, Prefix: this.#prefix }));
    for (const [list, isMark] of [[Versions, false], [DeleteMarkers, true]] as const) {
      for (const { Key = '', VersionId = '' } of list) found.push({ key: Key.slice(this.#prefix.length), id: VersionId, isMark });
    }
    return found;
  }

  async read(key: string, VersionId: string): Promise<Uint8Array> {
    const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + key, VersionId }));
    return (await Body?.transformToByteArray()) ?? new Uint8Array();
  }

  /** Puts something over an object, as other software would. */
  async shadow(key: string, bytes: Uint8Array): Promise<void> {
    await this.#client.send(new PutObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + key, Body: bytes }));
  }

  /** Hides an object behind a mark of deletion. */
  async hide(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + key }));
  }

  /** Tries everything that takes a version away or shortens its lock; gives how much of it the server did. */
  async attack({ key, id: VersionId }: StoredVersion): Promise<number> {
    const version = { Bucket: this.#bucket, Key: this.#prefix + key, VersionId };
    const soon = { Mode: 'COMPLIANCE', RetainUntilDate: new Date(Math.ceil(Date.now() / 1000) * 1000 + 60_000) } as const;
    const outcomes = await Promise.allSettled([
      this.#client.send(new DeleteObjectCommand(version)),
      this.#client.send(new DeleteObjectCommand({ ...version, BypassGovernanceRetention: true })),
      this.#client.send(new PutObjectRetentionCommand({ ...version, Retention: soon })),
      this.#client.send(new PutObjectRetentionCommand({ ...version, Retention: soon, BypassGovernanceRetention: true })),
      this.#client.send(new PutObjectRetentionCommand({ ...version, Retention: {}, BypassGovernanceRetention: true })),
    ]);
    return outcomes.filter(({ status }) => status === 'fulfilled').length;
  }

  async close(): Promise<void> {
    await this.vault.close();
    this.#client.destroy();
  }
}
