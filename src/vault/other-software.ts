/** What other software could do with the credentials of a vault, and lifeboat never does. */
export interface OtherSoftware {
  /** Puts these bytes under a key, whatever is there. Rejects as `Vault.put` does. */
  overwrite(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** Deletes without naming a version, which hides the object where versions are kept. Rejects as `Vault.delete` does. */
  hide(key: string, signal?: AbortSignal): Promise<void>;
  /** Frees connections. */
  close(): Promise<void>;
}
