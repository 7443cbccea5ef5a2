import { z } from 'zod';

/** What an owner asks of its keeper. Each request gets one answer with the same `id`. */
export const requestSchema = z.discriminatedUnion('do', [
  /** Make a folder in another. The answer's `folder` is its path. */
  z.object({ id: z.number(), do: z.literal('open'), parent: z.string(), label: z.string().regex(/^[a-z0-9-]*$/) }),
  /** Start a program that belongs to a folder. The answer's `pid` is its process number. */
  z.object({
    id: z.number(),
    do: z.literal('start'),
    folder: z.string(),
    command: z.string(),
    args: z.array(z.string()),
    env: z.record(z.string(), z.string()),
    logFile: z.string(),
  }),
  /** Send a signal to a program that was started, and to what it started. With `wait`, answered when it has ended. */
  z.object({
    id: z.number(),
    do: z.literal('signal'),
    folder: z.string(),
    pid: z.number(),
    signal: z.string(),
    wait: z.boolean(),
  }),
  /** Kill everything that belongs to a folder, and remove it. Answered when that is done. */
  z.object({ id: z.number(), do: z.literal('close'), folder: z.string() }),
]);
export type Request = z.infer<typeof requestSchema>;

/** A request without the number that the connection gives it. */
export type RequestBody = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;

/** What a keeper tells its owner. */
export const reportSchema = z.discriminatedUnion('tell', [
  z.object({ tell: z.literal('done'), id: z.number(), folder: z.string().optional(), pid: z.number().optional() }),
  z.object({ tell: z.literal('failed'), id: z.number(), message: z.string() }),
  /** A program ended, in whatever way. */
  z.object({ tell: z.literal('ended'), pid: z.number(), code: z.number().nullable(), signal: z.string().nullable() }),
]);
export type Report = z.infer<typeof reportSchema>;
