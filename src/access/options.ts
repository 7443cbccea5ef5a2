/** Which vaults to use. */
export interface VaultOptions {
  /** Names of lifeboat.yaml, or addresses. Default: all of lifeboat.yaml. */
  readonly vault?: readonly string[];
}

/** What opens the repository, in place of what lifeboat.yaml names. */
export interface ReadKeyOptions {
  readonly identity?: readonly string[];
  readonly passphraseFile?: string;
  readonly keyFile?: string;
  readonly kms?: readonly string[];
}
