import type { Handler } from './handlers/handler.ts';
import type { Trigger } from './trigger.ts';

/** Handles an event in a span, in the trace that came with it. The span is sent by the end: the process may be frozen then. */
export function spanned<T extends Trigger, R>(name: string, handle: Handler<T, R>): Handler<T, R> {
  return async (trigger, surroundings) => {
    const tracing = await surroundings.tracing();
    try {
      return await tracing.within(`${trigger.trigger} ${name}`, { kind: 'server', parent: trigger.traceparent }, () => handle(trigger, surroundings));
    } finally {
      await tracing.flush();
    }
  };
}
