/** What a vault was found to do, or not to do. */
export interface ProbeCheck {
  readonly name: ProbeName;
  /** `fail` when backups to this vault would fail or would not be safe, `warn` when they could be safer. */
  readonly status: 'ok' | 'warn' | 'fail';
  /** What was seen, for people: one sentence. */
  readonly detail: string;
  readonly hint?: string;
}

export type ProbeName =
  | 'list'
  | 'create'
  | 'exclusive'
  | 'immutable'
  | 'read'
  | 'range'
  | 'consistent'
  | 'overwrite'
  | 'lock'
  | 'delete';

/** What one check found. */
export type ProbeFinding = string | Omit<ProbeCheck, 'name'>;
