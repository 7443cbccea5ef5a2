/**
 * Exit codes of every command. Documented in docs/errors.md.
 * 0 all well · 1 something failed · 2 wrong usage or configuration · 3 done, but not everything (a partial result)
 * 4 the check found a difference or damage · 130 interrupted
 */
export const EXIT = { ok: 0, failed: 1, usage: 2, partial: 3, findings: 4, interrupted: 130 } as const;

interface CodeEntry {
  /** One line: what this code means. docs/errors.md carries the same line. */
  readonly title: string;
  readonly exit: number;
  readonly retriable: boolean;
}

const fails = (title: string): CodeEntry => ({ title, exit: EXIT.failed, retriable: false });
const usage = (title: string): CodeEntry => ({ title, exit: EXIT.usage, retriable: false });
const passing = (title: string): CodeEntry => ({ title, exit: EXIT.failed, retriable: true });
const damage = (title: string): CodeEntry => ({ title, exit: EXIT.findings, retriable: false });

/** Every code lifeboat can end with. Codes are stable: they are never renamed or given another meaning. */
export const ERROR_CODES = {
  // general
  LB_INTERNAL: fails('A bug in lifeboat'),
  LB_INTERRUPTED: { title: 'Stopped by the user', exit: EXIT.interrupted, retriable: true },
  LB_DEADLINE: passing('The time allowed for this ran out'),
  LB_USAGE: usage('The command was called wrongly'),
  // configuration
  LB_CONFIG_MISSING: usage('There is no lifeboat.yaml where it was looked for'),
  LB_CONFIG_INVALID: usage('lifeboat.yaml has a mistake'),
  LB_CONFIG_EXISTS: usage('A file that would be written exists already'),
  // placement
  LB_PLACEMENT_BROKEN: usage('The plan does not outlive what it promises to'),
  // vaults
  LB_VAULT_NOT_FOUND: fails('The vault or its bucket does not exist'),
  LB_VAULT_ACCESS: fails('The vault refused the credentials or the permission'),
  LB_VAULT_READ_ONLY: fails('The vault cannot be written to'),
  LB_VAULT_FULL: fails('The vault has no room left'),
  LB_VAULT_UNAVAILABLE: passing('The vault did not answer, or answered with a passing error'),
  LB_VAULT_OBJECT_MISSING: damage('An object that should be in the vault is not there'),
  LB_VAULT_OBJECT_EXISTS: fails('An object with this name exists already in the vault'),
  LB_VAULT_UNTRUSTED: fails('The vault could not prove that it is what it claims to be'),
  LB_VAULT_UNSUPPORTED: fails('The vault lacks something lifeboat needs'),
  LB_VAULT_LOCK_UNSUPPORTED: fails('The vault cannot lock objects'),
  LB_VAULT_LOCKED: fails('An object in the vault is locked and cannot be deleted yet'),
  LB_VAULT_GARBLED: damage('Other bytes came from the vault than it has a checksum of'),
  LB_VAULT_INVALID_KEY: fails('A name cannot be used for an object in a vault'),
  // keys
  LB_KEY_MISSING: usage('No key was given that is needed for this'),
  LB_KEY_WRONG: fails('None of the given keys opens the repository'),
  LB_KEY_INVALID: usage('A key or key file is malformed'),
  LB_KEY_ROLE: usage('The key is of another role than is needed'),
  LB_KEY_ACCESS: fails('The key service refused the credentials or the permission'),
  LB_KEY_DISABLED: fails('The key service has disabled the key'),
  LB_KEY_GONE: fails('The key service has no such key'),
  LB_KEY_UNAVAILABLE: passing('The key service did not answer, or answered with a passing error'),
  LB_KEY_UNTRUSTED: fails('The key service could not prove that it is what it claims to be'),
  // repository
  LB_REPO_MISSING: fails('There is no lifeboat repository in the vault'),
  LB_REPO_EXISTS: fails('Another repository is already in the vault'),
  LB_REPO_HEADER_LOST: fails('The vault holds a repository that has lost its lifeboat.json'),
  LB_REPO_NEWER_FORMAT: fails('The repository was written in a newer format than this lifeboat reads'),
  LB_REPO_DAMAGED: damage('A stored object is damaged'),
  LB_REPO_FORGED: damage('A signature does not match: the object was forged or edited'),
  LB_REPO_BUSY: passing('Another sweep is at work'),
  LB_CONFIRMATION: fails('The plan of a restore was not confirmed, or not as it is'),
  LB_BUDGET_TOO_SMALL: fails('A step of a job has too little time to get anywhere'),
  LB_BACKUP_TOO_LONG: passing('The backup took longer than the sweep waits'),
  LB_POINT_NOT_FOUND: fails('There is no such recovery point'),
  LB_OBJECT_NOT_FOUND: fails('The recovery point holds no such object'),
  // site
  LB_SITE_CONFIG: usage('The kubeconfig or its credentials cannot be used'),
  LB_SITE_UNREACHABLE: passing('The Kubernetes API server did not answer'),
  LB_SITE_ACCESS: fails('The Kubernetes API server refused the credentials or the permission'),
  LB_SITE_REFUSED: fails('The Kubernetes API server refused a request'),
  LB_CUT_EXPIRED: passing('The site changed faster than it could be read at one revision'),
  LB_CUT_PARTIAL: { title: 'Some resources could not be read', exit: EXIT.partial, retriable: false },
  // queue
  LB_QUEUE_UNAVAILABLE: passing('The queue did not answer'),
  LB_QUEUE_ACCESS: fails('The queue refused the credentials or the permission'),
  LB_QUEUE_UNTRUSTED: fails('The queue could not prove that it is what it claims to be'),
  LB_QUEUE_FULL: passing('The queue has no room left'),
  LB_QUEUE_UNSUITABLE: fails('The server of the queue is not one that jobs are safe in'),
  LB_QUEUE_IN_USE: fails('Another process has the folder of the embedded queue open'),
  LB_JOB_INVALID: usage('A job cannot be put into the queue as it is'),
  LB_JOB_NOT_FOUND: fails('There is no such job in the queue'),
  LB_JOB_STALLED: fails('The worker died in the middle of this job, several times over'),
  // functions
  LB_EVENT_INVALID: usage('An event is not one that the function understands'),
  // restore
  LB_RESTORE_INTO_SOURCE: usage('The target is the very cluster the point was taken from, or that cannot be told'),
  LB_RESTORE_CONFLICT: fails('An object exists already in the target site and differs'),
  LB_RESTORE_INCOMPLETE: { title: 'Some objects could not be restored', exit: EXIT.partial, retriable: false },
  // drills
  LB_DRILL_ASSETS: usage('The binaries of a control plane for drills were not found'),
  LB_DRILL_CLUSTER: fails('The cluster of the drill could not be started, or ended'),
  LB_DRILL_SITE_USED: usage('The spare site holds what the drill would restore'),
  LB_DRILL_SITE_BUSY: passing('Another drill is at work in the spare site'),
  LB_DRILL_NO_POINT: { title: 'There is no safe recovery point to drill with', exit: EXIT.findings, retriable: false },
  // server
  LB_API_REQUEST: usage('The server does not understand the request'),
  LB_API_UNAUTHENTICATED: fails('The server cannot tell who is asking'),
  LB_API_FORBIDDEN: fails('The role does not permit this'),
  LB_API_NOT_FOUND: fails('The server has no such thing'),
  LB_API_CONFLICT: fails('The request does not fit what is there'),
  LB_API_TOO_MANY: passing('Too many requests were refused'),
  LB_API_UNAVAILABLE: passing('The server, or what it needs to answer, did not answer'),
  LB_AUDIT_UNAVAILABLE: passing('The audit trail cannot be written'),
} as const satisfies Record<string, CodeEntry>;

/** A stable, documented code, such as `LB_KEY_WRONG`. */
export type ErrorCode = keyof typeof ERROR_CODES;
