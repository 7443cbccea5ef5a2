const HOUR = 60 * 60 * 1000;

/** How long the sweep waits, unless told otherwise, before it deletes what it marked, ms. */
export const DEFAULT_GRACE = 48 * HOUR;

/**
 * A backup that takes longer looks again, before its point is written, whether what it builds on was marked meanwhile, ms.
 * What is between this and the grace period is for clocks that differ, and for processes that are halted.
 */
export const BACKUP_LIMIT = 24 * HOUR;
