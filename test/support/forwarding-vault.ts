import type {
  CallOptions,
  GetOptions,
  ListOptions,
  ObjectInfo,
  PutOptions,
  PutOutcome,
  ReadOptions,
  Vault,
  VaultBody,
  VaultObject,
} from '../../src/vault/vault.ts';

/** A vault that hands every call on: what decorators of tests are made of. */
export class ForwardingVault implements Vault {
  protected readonly vault: Vault;

  constructor(vault: Vault) {
    this.vault = vault;
  }

  get name(): string {
    return this.vault.name;
  }

  get location(): string {
    return this.vault.location;
  }

  get locks(): boolean {
    return this.vault.locks;
  }

  put(key: string, body: VaultBody, options?: PutOptions): Promise<PutOutcome> {
    return this.vault.put(key, body, options);
  }

  get(key: string, options?: GetOptions): Promise<VaultObject> {
    return this.vault.get(key, options);
  }

  head(key: string, options?: ReadOptions): Promise<ObjectInfo | undefined> {
    return this.vault.head(key, options);
  }

  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo> {
    return this.vault.list(prefix, options);
  }

  retain(key: string, until: Date, options?: CallOptions): Promise<void> {
    return this.vault.retain(key, until, options);
  }

  delete(key: string, options?: CallOptions): Promise<void> {
    return this.vault.delete(key, options);
  }

  uncover(key: string, options?: CallOptions): Promise<number> {
    return this.vault.uncover(key, options);
  }

  close(): Promise<void> {
    return this.vault.close();
  }
}
