import { systemClock } from '../../src/core/clock.ts';
import type { CallOptions, GetOptions, PutOptions, PutOutcome, Vault, VaultBody, VaultObject } from '../../src/vault/vault.ts';
import { ForwardingVault } from './forwarding-vault.ts';

/** A vault behind a line of this rate, which uploads and downloads share. */
export function withPace(vault: Vault, bytesPerSecond: number): Vault {
  return new PacedVault(vault, bytesPerSecond);
}

class PacedVault extends ForwardingVault {
  readonly #bytesPerSecond: number;
  /** When the line is free again, ms of `performance.now()`. */
  #freeAt = 0;

  constructor(vault: Vault, bytesPerSecond: number) {
    super(vault);
    this.#bytesPerSecond = bytesPerSecond;
  }

  override async put(key: string, body: VaultBody, options: PutOptions = {}): Promise<PutOutcome> {
    await this.#transfer(body instanceof Uint8Array ? body.length : body.size, options);
    return super.put(key, body, options);
  }

  override async get(key: string, options: GetOptions = {}): Promise<VaultObject> {
    const object = await super.get(key, options);
    await this.#transfer(object.length, options);
    return object;
  }

  async #transfer(bytes: number, { signal }: CallOptions): Promise<void> {
    const now = performance.now();
    this.#freeAt = Math.max(now, this.#freeAt) + (bytes / this.#bytesPerSecond) * 1000;
    await systemClock.sleep(this.#freeAt - now, signal);
  }
}
