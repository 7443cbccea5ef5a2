/** One state of a long-running piece of work; later ones replace earlier ones of the same `phase`. */
export interface Progress {
  /** `discover`, `cut`, `store`, `commit`, `load`, `plan`, `apply`, `wait`, `verify` … */
  readonly phase: string;
  /** Units finished so far. */
  readonly done: number;
  /** Units in all, when known. */
  readonly total?: number;
  readonly unit: 'objects' | 'bytes' | 'types' | 'points' | 'packs' | 'steps';
  /** Plaintext bytes handled so far in this phase. */
  readonly bytes?: number;
  /** What is being worked on, for people. */
  readonly detail?: string;
}

/** Told about progress. Cheap to call often: whoever shows it decides how often. */
export type OnProgress = (progress: Progress) => void;

/** Something worth knowing that is not an error: shown to people and kept in reports. */
export interface Warning {
  /** Stable, kebab-case: `vault-unavailable`, `type-not-cut`. */
  readonly kind: string;
  readonly message: string;
  readonly where?: string;
}

export type OnWarning = (warning: Warning) => void;
