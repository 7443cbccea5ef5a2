import { LifeboatError } from '../../core/errors.ts';
import type { Vault } from '../../vault/vault.ts';
import { packKey } from '../layout.ts';
import { Lru } from '../lru.ts';
import { PackReader } from '../pack-reader.ts';
import type { PackOpening } from '../pack-reader.ts';
import type { PackRef } from '../pack-table.ts';
import { readObject, whereIs } from '../vault-io.ts';

/** Block tables that are kept open, of all packs and vaults. */
const OPEN_TABLES = 256;

/** The open block tables of packs, per vault: what reading parts of them takes. */
export class PackTables {
  readonly #opening: PackOpening;
  readonly #signal: AbortSignal | undefined;
  readonly #open = new Lru<Promise<PackReader>>(OPEN_TABLES);

  constructor(opening: PackOpening, signal: AbortSignal | undefined) {
    this.#opening = opening;
    this.#signal = signal;
  }

  /** Throws `LB_REPO_DAMAGED`, `LB_REPO_NEWER_FORMAT`, and what the vault throws. */
  of(ref: PackRef, vault: Vault): Promise<PackReader> {
    const name = `${vault.name}/${ref.id}`;
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const key = packKey(ref.id);
    const read = async (offset: number, length: number): Promise<Uint8Array> => {
      const bytes = await readObject(vault, key, { offset, length, signal: this.#signal });
      if (bytes.length === length) return bytes;
      throw new LifeboatError('LB_REPO_DAMAGED', 'The pack is shorter than it should be', {
        where: whereIs(vault, key),
      });
    };
    const table = PackReader.open(ref, read, this.#opening);
    this.#open.set(name, table, 1);
    table.catch(() => this.#open.delete(name));
    return table;
  }
}
