import type { z } from 'zod';
import { eventInvalid } from './invalid.ts';

/** The parts of an event that are needed. Throws `LB_EVENT_INVALID`, which names the parts that are wrong, and none of what was in them. */
export function parseEvent<T extends z.ZodType>(schema: T, what: string, event: unknown): z.output<T> {
  const parsed = schema.safeParse(event);
  if (parsed.success) return parsed.data;
  throw eventInvalid(`This is not ${what}: ${wrongParts(parsed.error)}`);
}

/** Where the event is not as it should be: at most five places. */
export function wrongParts(error: z.ZodError): string {
  const places = error.issues.map((issue) => `\`${issue.path.join('.') || 'event'}\` ${issue.code === 'invalid_type' ? `must be ${issue.expected}` : 'is not as expected'}`);
  return [...new Set(places)].slice(0, 5).join(', ');
}
