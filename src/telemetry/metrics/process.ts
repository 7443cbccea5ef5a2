import { memoryUsage } from 'node:process';

/** What the process uses, as its metrics tell. */
export function readProcess(): { readonly gauges: Readonly<Record<string, number>>; readonly cpuSeconds: number } {
  const { rss, heapUsed, external } = memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    gauges: {
      process_resident_memory_bytes: rss,
      process_heap_bytes: heapUsed,
      process_external_memory_bytes: external,
      process_start_time_seconds: Math.round(Date.now() / 1000 - process.uptime()),
    },
    cpuSeconds: (user + system) / 1e6,
  };
}
