import { createHash } from 'node:crypto';
import type { RolesConfig } from '../../config/service-schema.ts';

/** What somebody may do; each role may do what those before it may. */
export const SERVER_ROLES = ['viewer', 'operator', 'admin'] as const;
export type ServerRole = (typeof SERVER_ROLES)[number];

/** Somebody whose credential was accepted. */
export interface Principal {
  /** As jobs name them: `token:<subject>` or `certificate:<common name>`. */
  readonly name: string;
  readonly kind: 'token' | 'certificate';
  readonly subject: string;
  readonly issuer: string;
  /** SHA-256 of the certificate, in hex. */
  readonly fingerprint?: string;
  /** Undefined: known, and permitted nothing. */
  readonly role: ServerRole | undefined;
}

/** Jobs keep no longer ones. */
const LONGEST_NAME = 200;

/** The name that jobs keep; one that is too long ends with a hash of the whole. */
export function principalName(kind: Principal['kind'], subject: string): string {
  const name = `${kind}:${subject}`;
  if (name.length <= LONGEST_NAME) return name;
  return `${name.slice(0, LONGEST_NAME - 33)}-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}

/** The highest role that any of these values has. */
export function roleOf(values: readonly string[], roles: RolesConfig): ServerRole | undefined {
  return SERVER_ROLES.toReversed().find((role) => roles[role]?.some((value) => values.includes(value)) === true);
}

/** Whether somebody with this role may do what takes at least `needed`. */
export function permits(role: ServerRole | undefined, needed: ServerRole): boolean {
  return role !== undefined && SERVER_ROLES.indexOf(role) >= SERVER_ROLES.indexOf(needed);
}
