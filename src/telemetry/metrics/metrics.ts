import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { LabelBounds } from './bounds.ts';
import { METRICS } from './definitions.ts';
import type { LabelsOf, MetricDefinition, MetricName, NamesOf } from './definitions.ts';
import { readProcess } from './process.ts';

/** What `/metrics` answers with. */
export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

/** The metrics of a process, in a registry of their own. Labels are bounded: what would be one value too many counts as `other`. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();
  readonly #bounds = new LabelBounds();
  readonly #collectors: (() => Promise<void> | void)[] = [];

  constructor() {
    const registers = [this.#registry];
    for (const [name, definition] of Object.entries<MetricDefinition>(METRICS)) {
      const about = { name, help: `${definition.help}.`, labelNames: [...definition.labels], registers };
      if (definition.type === 'counter') this.#counters.set(name, new Counter(about));
      else if (definition.type === 'gauge') this.#gauges.set(name, new Gauge(about));
      else this.#histograms.set(name, new Histogram({ ...about, buckets: [...(definition.buckets ?? [])] }));
      // prom-client shows 0 for what has no labels and was never set, and a time of 0 is a wrong one.
      if (definition.type === 'gauge' && definition.labels.length === 0) this.#gauges.get(name)?.remove();
    }
  }

  /** Names that labels may have; any other is `other`. Until it is told, all are taken, up to a limit. */
  expect(names: { readonly plans: Iterable<string>; readonly vaults: Iterable<string> }): void {
    this.#bounds.expect('plan', names.plans);
    this.#bounds.expect('vault', names.vaults);
  }

  count<N extends NamesOf<'counter'>>(name: N, labels: LabelsOf<N>, by: number = 1): void {
    if (Number.isFinite(by) && by >= 0) this.#counters.get(name)?.inc(this.#bounds.keep(labels), by);
  }

  /** Undefined: there is no such value, and none is shown. */
  set<N extends NamesOf<'gauge'>>(name: N, labels: LabelsOf<N>, value: number | undefined): void {
    const kept = this.#bounds.keep(labels);
    if (value === undefined || !Number.isFinite(value)) this.#gauges.get(name)?.remove(kept);
    else this.#gauges.get(name)?.set(kept, value);
  }

  add<N extends NamesOf<'gauge'>>(name: N, labels: LabelsOf<N>, by: number): void {
    this.#gauges.get(name)?.inc(this.#bounds.keep(labels), by);
  }

  observe<N extends NamesOf<'histogram'>>(name: N, labels: LabelsOf<N>, value: number): void {
    if (Number.isFinite(value)) this.#histograms.get(name)?.observe(this.#bounds.keep(labels), Math.max(0, value));
  }

  /** Forgets all values of a gauge: of plans and vaults that are no more. */
  clear(name: NamesOf<'gauge'>): void {
    this.#gauges.get(name)?.reset();
    if (METRICS[name].labels.length === 0) this.#gauges.get(name)?.remove();
  }

  /** Called before each text: brings gauges up to date. What it throws is its own affair. */
  onCollect(collect: () => Promise<void> | void): void {
    this.#collectors.push(collect);
  }

  /** All metrics, in the format that Prometheus reads. */
  async text(): Promise<MetricsText> {
    await Promise.allSettled(this.#collectors.map(async (collect) => collect()));
    const used = readProcess();
    for (const [name, value] of Object.entries(used.gauges)) this.#gauges.get(name)?.set(value);
    const cpu = this.#counters.get('process_cpu_seconds_total');
    cpu?.reset();
    cpu?.inc(used.cpuSeconds);
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  /** Names of all there are. */
  get names(): readonly MetricName[] {
    return Object.keys(METRICS) as MetricName[];
  }
}
