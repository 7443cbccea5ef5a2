/** What the demo found, as `--json` prints it. Durations in seconds, sizes in bytes. */
export interface DemoReport {
  /** Everything held: the restore finished, nothing failed, nothing differs that should not. */
  readonly ok: boolean;
  /** Age of the newest point when the site was lost. */
  readonly rpoSeconds: number;
  /** From the loss to the restored and verified site, the new control plane's start included. */
  readonly rtoSeconds: number;
  readonly phases: readonly { readonly name: string; readonly seconds: number }[];
  /** Objects of the point by what became of them. */
  readonly objects: Readonly<Record<string, number>>;
  readonly vaults: readonly DemoVault[];
  readonly site: { readonly kubernetes: string; readonly objects: number; readonly types: number; readonly namespaces: number };
  readonly backups: readonly DemoBackup[];
  /** Objects written or changed after the last point: gone with the site. */
  readonly lostObjects: readonly string[];
  /** Restored site against the point, and against a plain listing taken at the time of the last backup. */
  readonly comparison: { readonly differences: number; readonly examples: readonly string[]; readonly missingFromListing: readonly string[] };
  /** Why objects were left out of the restore: reason and count. */
  readonly leftOut: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
}

export interface DemoVault {
  readonly name: string;
  readonly location: string;
  readonly fate: 'survived' | 'deleted';
  readonly points: number;
}

export interface DemoBackup {
  readonly point: string;
  readonly seconds: number;
  readonly objects: number;
  readonly plaintextBytes: number;
  /** Bytes added to each vault. */
  readonly storedBytes: number;
  readonly complete: boolean;
}
