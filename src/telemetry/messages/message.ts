import type { Redactor } from '../../core/redact.ts';
import { plain } from '../log/plain.ts';
import type { Plain } from '../log/plain.ts';

/** What webhooks are told of, as `notify` in lifeboat.yaml names it. */
export type MessageEvent = 'failure' | 'objective-missed' | 'schedule-missed' | 'drill' | 'backup' | 'restore';

/** Something that somebody should know. */
export interface Message {
  readonly event: MessageEvent;
  /** Whoever is told of one of these is told as well, once: a drill that failed is a drill and a failure. */
  readonly also?: readonly MessageEvent[];
  /** The same for the same news, whoever tells it and however often it is sent. */
  readonly id: string;
  /** False for what is wrong. */
  readonly ok: boolean;
  /** For people, one line. */
  readonly text: string;
  readonly plan?: string | undefined;
  readonly site?: string | undefined;
  readonly job?: { readonly id: string; readonly kind: string; readonly requestedBy: string };
  readonly failure?: { readonly code: string; readonly message: string; readonly where?: string; readonly hint?: string };
  /** What there is more to say: depends on the event. */
  readonly details?: unknown;
}

/** The layout of the body. Members may come; when one goes or changes its meaning, this grows. */
const BODY_VERSION = 1;

/** The body that is posted: docs/monitoring.md. Without secrets. */
export function bodyOf(message: Message, at: number, redactor: Redactor): string {
  const { also: _also, ...told } = message;
  const whole = { version: BODY_VERSION, ...told, text: `lifeboat: ${message.text}`, at: new Date(at).toISOString() };
  const body = JSON.stringify(plain(whole, redactor) satisfies Plain);
  if (!redactor.holds(body)) return body;
  const { event, id, ok } = message;
  return JSON.stringify(plain({ version: BODY_VERSION, event, id, ok, text: `lifeboat: ${event} (what is more to say held a secret)`, at: whole.at }, redactor));
}
