export { openQueue } from './open.ts';
export { drain, runWorker } from './run.ts';
export type { DrainEnd } from './run.ts';
export type { BullQueue } from './bull-queue.ts';
export type { Handler, NextJob, Step, StepOutcome } from './handler.ts';
export type { AddOptions, Job, JobQueue, JobStatus, Schedule } from './queue.ts';
export type { QueueSettings } from './settings.ts';
export type { RunOptions, WorkerEvent, WorkerOptions } from './worker-options.ts';
