import type { BackendFactory, IQueueBackend } from 'bullmq';
import type { QueueWarning } from './queue.ts';

/** What BullMQ's classes are given as a connection: the factory has its own already. */
export const CONNECTED = 'connected';

/** A server, or what is in its place, that jobs are kept on. */
export interface Backend {
  /** `Valkey 9.1.2`. */
  readonly product: string;
  /** `127.0.0.1:6379`, for messages; no secrets. */
  readonly where: string;
  readonly warnings: readonly QueueWarning[];
  /** Its list of active jobs is in the order in which they became active. */
  readonly activeInOrder: boolean;
  /** Begins the name of every key. */
  readonly prefix: string;
  /** The name of a queue, where it is the name that tells installations apart. */
  readonly named: (queue: string) => string;
  /** Gives BullMQ's classes what they speak to the server with. */
  readonly factory: BackendFactory<IQueueBackend, string>;
  /** Ends all connections. What was made by the factory is closed before. */
  close(): Promise<void>;
}
