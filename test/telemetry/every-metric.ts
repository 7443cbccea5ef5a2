import { METRICS } from '../../src/telemetry/metrics/definitions.ts';
import type { LabelsOf, MetricDefinition, MetricName, NamesOf } from '../../src/telemetry/metrics/definitions.ts';
import { Metrics } from '../../src/telemetry/metrics/metrics.ts';

/** Metrics of which every one has a value. */
export function everyMetric(): Metrics {
  const metrics = new Metrics();
  for (const [name, { type, labels }] of Object.entries<MetricDefinition>(METRICS)) {
    const values = Object.fromEntries(labels.map((label) => [label, `a-${label}`])) as LabelsOf<MetricName>;
    if (type === 'counter') metrics.count(name as NamesOf<'counter'>, values, 3);
    else if (type === 'gauge') metrics.set(name as NamesOf<'gauge'>, values, 4);
    else metrics.observe(name as NamesOf<'histogram'>, values, 5);
  }
  return metrics;
}
