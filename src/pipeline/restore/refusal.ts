import type { Refusal } from '../../site/errors.ts';
import { isPassing } from '../../site/errors.ts';
import { typeName } from '../../site/types.ts';
import type { ResourceType } from '../../site/types.ts';

/**
 * What a refused write means for the restore:
 * `passing`: it may go through later, when something else is there or ready — tried again while anything gets further;
 * `doubtful`: probably final, but an API server that has just started says the same — tried once more;
 * `final`: the same request will always be refused.
 */
export type Verdict = 'passing' | 'doubtful' | 'final';

/**
 * Refusals with 403 that pass. Sources: the admission plugins resourcequota, serviceaccount, priority and namespace
 * lifecycle of kube-apiserver.
 */
const PASSING_FORBIDDEN =
  /exceeded quota|status unknown for quota|serviceaccount "?[^"]*"? not found|no (?:PriorityClass|RuntimeClass) with name|RuntimeClass "[^"]*" not found|being terminated|is being deleted|not yet ready/i;

/** Judges a refusal of a create, update or patch. */
export function judge(refusal: Refusal): Verdict {
  if (isPassing(refusal.status)) return 'passing';
  switch (refusal.status) {
    case 404: // its namespace or type is not there yet
    case 409: // something it touches was being changed: a quota, or the object itself
      return 'passing';
    case 403:
      return PASSING_FORBIDDEN.test(refusal.message) ? 'passing' : 'doubtful';
    case 401:
      return 'doubtful';
    default:
      return 'final';
  }
}

const LONGEST_MESSAGE = 500;

/** The server's reason, fit for a report: without contents of Secrets, and not endless. */
export function reasonOf(type: ResourceType, refusal: Refusal): string {
  const status = `${refusal.status}${refusal.reason === '' ? '' : ` ${refusal.reason}`}`;
  if (typeName(type) === 'secrets' && refusal.status !== 403 && refusal.status !== 404) {
    // Messages about a Secret may quote what is in it.
    const fields = refusal.causes.map((cause) => `${cause.field} (${cause.reason})`).join(', ');
    return fields === '' ? status : `${status}: ${fields}`;
  }
  const message = refusal.message === '' ? '' : `: ${refusal.message}`;
  return message.length > LONGEST_MESSAGE ? `${status}${message.slice(0, LONGEST_MESSAGE)}…` : `${status}${message}`;
}
