/** What `init` made. Paths are absolute. */
export interface InitReport {
  readonly config: string;
  /** Files that were written, and what each is. */
  readonly files: readonly { readonly path: string; readonly kind: 'config' | 'write-key' | 'identity' }[];
  /** Vaults that hold the repository now; `created` if they did not before. */
  readonly vaults: readonly { readonly name: string; readonly location: string; readonly created: boolean }[];
  readonly repository: string | undefined;
  /** Recipients of identities that open it, made now or before. */
  readonly recipients: readonly string[];
}
