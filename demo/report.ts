/** What the demo found, as `--json` prints it. Durations in seconds, sizes in bytes. */
export interface DemoReport {
  /** Everything held: the promise, every point safe, the vaults level, the restore finished, nothing differs that should not. */
  readonly ok: boolean;
  /** Age of the newest point when the site was lost. */
  readonly rpoSeconds: number;
  /** From the loss to the restored and verified site, the new control plane's start included. */
  readonly rtoSeconds: number;
  readonly phases: readonly { readonly name: string; readonly seconds: number }[];
  /** Objects of the point by what became of them. */
  readonly objects: Readonly<Record<string, number>>;
  readonly vaults: readonly DemoVault[];
  /** What opens the repository. */
  readonly keys: readonly DemoKey[];
  readonly plan: DemoPlan;
  /** The site that was lost. */
  readonly site: { readonly cloud: string; readonly kubernetes: string; readonly objects: number; readonly types: number; readonly namespaces: number };
  /** The cloud it was brought back in. */
  readonly restoredIn: string;
  readonly backups: readonly DemoBackup[];
  /** How the vault that was away was brought level. */
  readonly replicated: DemoReplicated;
  /** The restore that was tried before anything was lost. */
  readonly drill: DemoDrill;
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
  readonly cloud: string;
  /** The server that stands for the cloud's object store. */
  readonly product: string;
  readonly location: string;
  readonly fate: 'survived' | 'deleted';
  readonly points: number;
}

export interface DemoKey {
  readonly kind: string;
  /** `null`: kept by people, in no cloud. */
  readonly cloud: string | null;
  readonly fate: 'lost' | 'used';
}

/** What was planned, and what of it held. */
export interface DemoPlan {
  readonly outlives: string;
  readonly copies: number;
  readonly holds: boolean;
  /** Why a plan with the site's own key service alone was refused. */
  readonly refused: string | null;
  readonly losses: readonly { readonly loss: string; readonly copiesLeft: number; readonly keysLeft: number; readonly survives: boolean }[];
}

export interface DemoBackup {
  readonly point: string;
  readonly seconds: number;
  readonly objects: number;
  readonly plaintextBytes: number;
  /** Bytes added to each vault. */
  readonly storedBytes: number;
  readonly complete: boolean;
  /** At least `copies` vaults hold it. */
  readonly safe: boolean;
  /** Vaults that held it when the backup ended, and those that were down. */
  readonly vaults: readonly string[];
  readonly absent: readonly string[];
}

export interface DemoDrill {
  /** It got to its end. */
  readonly restored: boolean;
  /** From nothing to the end of the checks. */
  readonly rtoSeconds: number | null;
  readonly rto: string;
  readonly rpo: string;
  /** What the checks found. */
  readonly found: readonly string[];
  /** The report's name in the vaults, and those that have it. */
  readonly report: string;
  readonly vaults: readonly string[];
  /** Path of the page. */
  readonly page: string;
}

export interface DemoReplicated {
  readonly vault: string;
  readonly level: boolean;
  readonly points: number;
  readonly packs: number;
  readonly bytes: number;
  readonly seconds: number;
}
