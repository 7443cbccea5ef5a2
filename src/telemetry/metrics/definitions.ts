/** One metric: docs/monitoring.md has them all, made of this. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

/** From what an idle tick takes to a night of copying, seconds. */
const DURATIONS = [0.1, 0.5, 1, 2.5, 5, 15, 30, 60, 150, 300, 900, 1800, 3600, 7200, 21_600];

/** What comes from the vaults: read at most once a minute, and the same in every process. */
const PLANS = {
  lifeboat_safe_point_age_seconds: { type: 'gauge', help: 'Age of the newest safe point: what would be lost now. Absent when there is none', labels: ['plan'] },
  lifeboat_safe_point_timestamp_seconds: { type: 'gauge', help: 'The moment that the newest safe point shows', labels: ['plan'] },
  lifeboat_vault_point_age_seconds: { type: 'gauge', help: 'Age of the newest point in a vault of the plan', labels: ['plan', 'vault'] },
  lifeboat_vault_point_timestamp_seconds: { type: 'gauge', help: 'The moment that the newest point in a vault of the plan shows', labels: ['plan', 'vault'] },
  lifeboat_rpo_objective_seconds: { type: 'gauge', help: 'How old the newest safe point may be: objectives.rpo', labels: ['plan'] },
  lifeboat_rto_objective_seconds: { type: 'gauge', help: 'How long a restore may take: objectives.rto', labels: ['plan'] },
  lifeboat_rto_measured_seconds: { type: 'gauge', help: 'How long the restore of the last drill took', labels: ['plan'] },
  lifeboat_objective_met: { type: 'gauge', help: '1 when the objective (rpo, rto) is met, else 0. Absent without an objective, and for rto without a drill', labels: ['plan', 'objective'] },
  lifeboat_schedule_slot_timestamp_seconds: { type: 'gauge', help: 'The last time of the schedule that should be done with by now', labels: ['plan', 'kind'] },
  lifeboat_schedule_next_timestamp_seconds: { type: 'gauge', help: 'The next time of the schedule', labels: ['plan', 'kind'] },
  lifeboat_schedule_missed: { type: 'gauge', help: '1 when the vaults show nothing of that last time, else 0', labels: ['plan', 'kind'] },
  lifeboat_vault_reachable: { type: 'gauge', help: '1 when the vault could be read, else 0', labels: ['vault'] },
  lifeboat_vault_verified_timestamp_seconds: { type: 'gauge', help: 'When data of the vault were last read by a verification', labels: ['vault'] },
  lifeboat_vault_fully_verified_timestamp_seconds: { type: 'gauge', help: 'All that points needed at this time was read, and intact, since', labels: ['vault'] },
  lifeboat_vault_verify_findings: { type: 'gauge', help: 'What the last verification found in the vault', labels: ['vault'] },
  lifeboat_drill_timestamp_seconds: { type: 'gauge', help: 'When the last drill of the plan ended', labels: ['plan'] },
  lifeboat_drill_ok: { type: 'gauge', help: '1 when the last drill passed all checks and met the objectives, else 0', labels: ['plan'] },
  lifeboat_plans_read_timestamp_seconds: { type: 'gauge', help: 'When the vaults were last read for the metrics of plans', labels: [] },
  lifeboat_plans_unknown: { type: 'gauge', help: 'Plans of which too few vaults could be looked at. Absent when that is not known of any', labels: [] },
} as const satisfies Record<string, MetricDefinition>;

/** What this process did. */
const JOBS = {
  lifeboat_jobs_total: { type: 'counter', help: 'Jobs that ended, by what they came to: done, failed, canceled, unconfirmed', labels: ['kind', 'outcome'] },
  lifeboat_job_steps_total: { type: 'counter', help: 'Steps of jobs, by how they ended: done, again, failed, canceled, handed-back, unconfirmed', labels: ['kind', 'outcome'] },
  lifeboat_job_failures_total: { type: 'counter', help: 'Steps that failed, by code (docs/errors.md), also those that are tried again', labels: ['kind', 'code'] },
  lifeboat_jobs_active: { type: 'gauge', help: 'Steps that are going on', labels: ['kind'] },
  lifeboat_job_duration_seconds: { type: 'histogram', help: 'From when a job was asked for to when it was done', labels: ['kind'], buckets: DURATIONS },
  lifeboat_job_wait_seconds: { type: 'histogram', help: 'How long jobs waited in the queue for a step', labels: ['kind'], buckets: DURATIONS },
  lifeboat_job_step_duration_seconds: { type: 'histogram', help: 'How long steps took', labels: ['kind'], buckets: DURATIONS },
  lifeboat_job_phase_duration_seconds: { type: 'histogram', help: 'How long the phases of steps took: cut, store, commit, apply, verify and others', labels: ['kind', 'phase'], buckets: DURATIONS },
  lifeboat_job_success_timestamp_seconds: { type: 'gauge', help: 'When a job of this kind and plan was last done by this process', labels: ['kind', 'plan'] },
  lifeboat_backup_objects: { type: 'gauge', help: 'Objects in the last point that this process made', labels: ['plan'] },
  lifeboat_backup_read_bytes_total: { type: 'counter', help: 'Bytes of state that backups read', labels: ['plan'] },
  lifeboat_backup_stored_bytes_total: { type: 'counter', help: 'Bytes that backups added to each vault', labels: ['plan'] },
  lifeboat_verify_read_bytes_total: { type: 'counter', help: 'Bytes that verifications read', labels: ['plan'] },
  lifeboat_verify_healed_total: { type: 'counter', help: 'Objects that verifications healed', labels: ['plan'] },
} as const satisfies Record<string, MetricDefinition>;

/** The queue, and those who watch. */
const SERVICE = {
  lifeboat_queue_jobs: { type: 'gauge', help: 'Jobs in the queue by state: waiting, blocked, active, done, parked', labels: ['state'] },
  lifeboat_queue_up: { type: 'gauge', help: '1 when the queue answered, else 0', labels: [] },
  lifeboat_tick_timestamp_seconds: { type: 'gauge', help: 'When this process last looked for what is due', labels: [] },
  lifeboat_messages_total: { type: 'counter', help: 'Messages to webhooks: sent, failed (given up), dropped (too many)', labels: ['event', 'outcome'] },
  lifeboat_heartbeats_total: { type: 'counter', help: 'Heartbeats: sent, failed', labels: ['outcome'] },
  lifeboat_heartbeat_timestamp_seconds: { type: 'gauge', help: 'When a heartbeat was last taken', labels: [] },
  lifeboat_build_info: { type: 'gauge', help: 'Always 1', labels: ['version', 'node'] },
  process_resident_memory_bytes: { type: 'gauge', help: 'Memory of the process', labels: [] },
  process_heap_bytes: { type: 'gauge', help: 'JavaScript heap in use', labels: [] },
  process_external_memory_bytes: { type: 'gauge', help: 'Buffers in use', labels: [] },
  process_cpu_seconds_total: { type: 'counter', help: 'Time of the processor that was used', labels: [] },
  process_start_time_seconds: { type: 'gauge', help: 'When the process began', labels: [] },
} as const satisfies Record<string, MetricDefinition>;

export const METRIC_GROUPS = { plans: PLANS, jobs: JOBS, service: SERVICE } as const;
export const METRICS = { ...PLANS, ...JOBS, ...SERVICE } as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
/** Names of metrics of a type. */
export type NamesOf<T extends MetricDefinition['type']> = { [N in MetricName]: (typeof METRICS)[N]['type'] extends T ? N : never }[MetricName];
/** The labels of a metric. */
export type LabelsOf<N extends MetricName> = Readonly<Record<(typeof METRICS)[N]['labels'][number], string>>;
