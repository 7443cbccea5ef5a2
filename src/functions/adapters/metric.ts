/** The namespace of the metrics in CloudWatch. */
export const NAMESPACE = 'lifeboat';
/** Counts the ticks of schedules, by function and plan: an alarm rings when it stops. */
export const TICKS = 'Ticks';
/** The plan of what is of all plans. */
export const ALL_PLANS = '-';

/** A line of the log that CloudWatch makes a metric of (embedded metric format): nothing need be called for it. */
export function metricLine(name: string, plan: string | undefined, now: number): string {
  const dimensions = { function: name, plan: plan ?? ALL_PLANS };
  const CloudWatchMetrics = [{ Namespace: NAMESPACE, Dimensions: [Object.keys(dimensions)], Metrics: [{ Name: TICKS, Unit: 'Count' }] }];
  return JSON.stringify({ _aws: { Timestamp: now, CloudWatchMetrics }, ...dimensions, [TICKS]: 1 });
}
