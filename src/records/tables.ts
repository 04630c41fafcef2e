import { column, type Column } from './columns.ts'
import {
  ALERT_COLUMNS,
  ALERT_MUTE_COLUMNS,
  AUDIT_COLUMNS,
  BULK_COLUMNS,
  BULK_ITEM_COLUMNS,
  DRAIN_COLUMNS,
  CLEANUP_COLUMNS,
  HOST_COLUMNS,
  METRIC_COLUMNS,
  METRIC_OPEN_COLUMNS,
  SCHEDULE_COLUMNS,
  SCHEDULE_RUN_COLUMNS,
} from './service_columns.ts'

/**
 * Columns and tables in one place: the schema is made from them, and the writers take their column lists and types
 * from them. Types are abstract; each dialect has its word for them.
 *
 * - moments are `big`: epoch milliseconds, UTC
 * - names (type, queue, user, host, worker, tag) are numbers into `queuedeck_names`
 * - no column that a list sorts by may be NULL, so that all databases order alike: duration is -1 while there is none,
 *   progress is in tenths of a percent and 1001 if and only if the job is completed
 */
/** Kinds of `queuedeck_names`; stored, so append only. */
export const NAME_KINDS = { type: 1, queue: 2, user: 3, host: 4, worker: 5, tag: 6 } as const

export type StoredNameKind = keyof typeof NAME_KINDS

/** Longest name, in UTF-16 units; what is longer is cut, with a mark and a checksum that keeps it apart from its likes. */
export const NAME_LENGTH = 200

/** Letters of an error that lists keep; the attempt has the whole. */
export const ERROR_LENGTH = 500

/** Value of `stopping` once the code has ignored its signal; 1 before. */
export const SIGNAL_IGNORED = 2

/** Sort key of progress for completed jobs; whoever runs stays at 1000 or less. */
export const COMPLETED_PROGRESS = 1001

/** Length of one bar of `queuedeck_timeline`. */
export const TIMELINE_STEP = 600_000

export const DAY = 86_400_000

export const JOB_COLUMNS = [
  column('seq', 'seq'),
  column('id', 'uuid'),
  column('queue_id', 'int'),
  column('type_id', 'int'),
  column('user_id', 'int', { null: true }),
  column('host_id', 'int', { null: true }),
  column('worker_id', 'int', { null: true }),
  column('status', 'small'),
  column('progress', 'small', { default: 0 }),
  column('duration', 'big', { default: -1 }),
  column('created_at', 'big'),
  column('due_at', 'big', { null: true }),
  column('started_at', 'big', { null: true }),
  column('finished_at', 'big', { null: true }),
  column('cancel_at', 'big', { null: true }),
  column('run', 'int', { default: 1 }),
  column('attempts', 'int', { default: 0 }),
  column('max_attempts', 'int', { default: 1 }),
  column('priority', 'int', { default: 0 }),
  column('stopping', 'small', { default: 0 }),
  // `sensitive` is a reserved word of MySQL
  column('is_sensitive', 'small', { default: 0 }),
  column('tagged', 'small', { default: 0 }),
  column('has_transport', 'small', { default: 1 }),
  column('has_payload', 'small', { default: 1 }),
  column('done', 'big', { null: true }),
  column('total', 'big', { null: true }),
  column('unit', 'short', { null: true }),
  column('stage', 'short', { null: true }),
  column('error_code', 'short', { null: true }),
  column('error', 'text', { null: true }),
  // NULL when it is the record's own id, that is for every job of ours
  column('transport_id', 'long', { null: true }),
  // (ms + skew) << 20 | sequence: beyond 2^53, so drivers must hand it out as text
  column('version', 'big'),
] as const satisfies Column[]

export const BODY_COLUMNS = [
  column('seq', 'seq'),
  column('payload', 'long', { null: true }),
  column('options', 'long', { null: true }),
  column('result', 'long', { null: true }),
]

export const ATTEMPT_COLUMNS = [
  column('seq', 'seq'),
  column('run', 'int'),
  column('attempt', 'int'),
  // index into ATTEMPT_OUTCOMES
  column('outcome', 'small'),
  column('worker_id', 'int', { null: true }),
  column('started_at', 'big', { null: true }),
  column('finished_at', 'big', { null: true }),
  column('error_code', 'short', { null: true }),
  column('error', 'long', { null: true }),
  column('stack', 'long', { null: true }),
]

/** Codes of outcomes; stored, so append only. */
export const ATTEMPT_OUTCOMES = [
  'running',
  'completed',
  'failed',
  'cancelled',
  'lost',
  'handed back',
] as const

export const EVENT_COLUMNS = [
  column('seq', 'seq'),
  column('version', 'big'),
  column('list', 'long'),
]

export const LOG_COLUMNS = [
  column('seq', 'seq'),
  column('version', 'big'),
  // order within one `log` entry
  column('n', 'int'),
  column('run', 'int'),
  column('attempt', 'int'),
  column('at', 'big'),
  column('level', 'small'),
  column('line', 'long'),
]

// Status and moment are repeated here, so that "newest failed with this tag" is one range of this table's key.
export const TAG_COLUMNS = [
  column('tag_id', 'int'),
  column('status', 'small'),
  column('created_at', 'big'),
  column('seq', 'seq'),
]

/** `kind` 0 counts all jobs (`name_id` 0), else one of NAME_KINDS. */
export const COUNTER_COLUMNS = [
  column('kind', 'small'),
  column('name_id', 'int'),
  column('status', 'small'),
  column('n', 'big'),
]

/** Jobs by day of creation (UTC), queue, type and status. */
export const CUBE_COLUMNS = [
  column('day', 'int'),
  column('queue_id', 'int'),
  column('type_id', 'int'),
  column('status', 'small'),
  column('n', 'big'),
]

/** Jobs by ten minutes of creation and status. */
export const TIMELINE_COLUMNS = [
  column('slot', 'int'),
  column('status', 'small'),
  column('n', 'big'),
]

export const CURSOR_COLUMNS = [
  column('queue', 'name'),
  column('last_id', 'short'),
  column('skew', 'big'),
  column('server', 'short', { null: true }),
  // the mirror's own, JSON
  column('notes', 'long', { null: true }),
]

/** Runs that a restart closed; the record itself shows the current one. */
export const RUN_COLUMNS = [
  column('seq', 'seq'),
  column('run', 'int'),
  column('status', 'small'),
  column('started_at', 'big', { null: true }),
  column('finished_at', 'big', { null: true }),
  column('error_code', 'short', { null: true }),
  column('error', 'long', { null: true }),
]

/** What a job waits for: `awaited` is the id of that job's record, which may be gone, or not there yet. */
export const EDGE_COLUMNS = [
  column('seq', 'seq'),
  column('awaited', 'uuid'),
  // index into EDGE_POLICIES
  column('policy', 'small'),
]

/** What the current run of a job has kept for its next attempts, in short; the values are in Redis alone. */
export const CHECKPOINT_COLUMNS = [
  column('seq', 'seq'),
  column('run', 'int'),
  column('count', 'int'),
  column('bytes', 'big'),
  column('newest', 'short'),
  column('at', 'big'),
]

/** Codes of what becomes of a waiting job when the awaited one fails; stored, so append only. */
export const EDGE_POLICIES = ['cancel', 'run', 'skip'] as const

export const NAME_COLUMNS = [
  column('kind', 'small'),
  column('name', 'name'),
  column('fold', 'name'),
]

export type Index = {
  name: string
  columns: string[]
  /** Where databases have partial indexes. */
  where?: string
  unique?: true
}

/**
 * Ten indexes with `id`, and what each serves. One more costs every write about a twentieth: measure first.
 * PostgreSQL's end in `seq`; SQLite and InnoDB append the key by themselves.
 */
export const JOB_INDEXES: Index[] = [
  // the default list, time range, walking for common filters
  { name: 'created', columns: ['created_at'] },
  // sort by duration
  { name: 'duration', columns: ['duration'] },
  // sort by progress: whoever is completed comes by `status` instead
  {
    name: 'progress',
    columns: ['progress', 'created_at'],
    where: `progress < ${COMPLETED_PROGRESS}`,
  },
  // status, sort by status, cleanup by age
  { name: 'status', columns: ['status', 'created_at'] },
  { name: 'type', columns: ['type_id', 'status', 'created_at'] },
  { name: 'queue', columns: ['queue_id', 'status', 'created_at'] },
  { name: 'user', columns: ['user_id', 'status', 'created_at'], where: 'user_id is not null' },
  { name: 'host', columns: ['host_id', 'status', 'created_at'], where: 'host_id is not null' },
  // types and durations go together, so walking `duration` for one type could find nothing for long
  { name: 'type_duration', columns: ['type_id', 'duration'] },
]

export type Table = { name: string; columns: readonly Column[]; key: string[]; indexes?: Index[] }

// Ordered by series, which is how they are read; by moment they are summed up and deleted.
const SLOT_INDEX: Index[] = [{ name: 'slot', columns: ['slot'] }]
const METRICS = {
  columns: METRIC_COLUMNS,
  key: ['queue_id', 'type_id', 'host_id', 'slot'],
  indexes: SLOT_INDEX,
}
const HOSTS = { columns: HOST_COLUMNS, key: ['host_id', 'slot'], indexes: SLOT_INDEX }

export const TABLES = {
  jobs: { name: 'queuedeck_jobs', columns: JOB_COLUMNS, key: ['seq'], indexes: JOB_INDEXES },
  bodies: { name: 'queuedeck_bodies', columns: BODY_COLUMNS, key: ['seq'] },
  attempts: {
    name: 'queuedeck_attempts',
    columns: ATTEMPT_COLUMNS,
    key: ['seq', 'run', 'attempt'],
  },
  runs: { name: 'queuedeck_runs', columns: RUN_COLUMNS, key: ['seq', 'run'] },
  events: { name: 'queuedeck_events', columns: EVENT_COLUMNS, key: ['seq', 'version'] },
  logs: { name: 'queuedeck_logs', columns: LOG_COLUMNS, key: ['seq', 'version', 'n'] },
  tags: {
    name: 'queuedeck_tags',
    columns: TAG_COLUMNS,
    key: ['tag_id', 'status', 'created_at', 'seq'],
    // chips of a row, "has this tag" while walking, deletes
    indexes: [{ name: 'seq', columns: ['seq', 'tag_id'] }],
  },
  counters: {
    name: 'queuedeck_counters',
    columns: COUNTER_COLUMNS,
    key: ['kind', 'name_id', 'status'],
  },
  cube: {
    name: 'queuedeck_cube',
    columns: CUBE_COLUMNS,
    key: ['day', 'queue_id', 'type_id', 'status'],
  },
  timeline: { name: 'queuedeck_timeline', columns: TIMELINE_COLUMNS, key: ['slot', 'status'] },
  cursors: { name: 'queuedeck_cursors', columns: CURSOR_COLUMNS, key: ['queue'] },
  cleanups: { name: 'queuedeck_cleanups', columns: CLEANUP_COLUMNS, key: ['seq'] },
  audit: {
    name: 'queuedeck_audit',
    columns: AUDIT_COLUMNS,
    key: ['seq'],
    indexes: [
      { name: 'id', columns: ['id'], unique: true },
      { name: 'at', columns: ['at'] },
      { name: 'action', columns: ['action', 'at'] },
      { name: 'actor', columns: ['actor', 'at'] },
      { name: 'actor_fold', columns: ['actor_fold', 'at'] },
      { name: 'target', columns: ['target', 'at'] },
    ],
  },
  alerts: {
    name: 'queuedeck_alerts',
    columns: ALERT_COLUMNS,
    key: ['seq'],
    indexes: [
      { name: 'open', columns: ['open_key'], unique: true },
      // what is to be sent
      { name: 'due', columns: ['due_at'], where: 'due_at is not null' },
    ],
  },
  alertMutes: {
    name: 'queuedeck_alert_mutes',
    columns: ALERT_MUTE_COLUMNS,
    key: ['rule', 'subject'],
  },
  metricMinutes: { name: 'queuedeck_metrics_minute', ...METRICS },
  metricHours: { name: 'queuedeck_metrics_hour', ...METRICS },
  hostMinutes: { name: 'queuedeck_hosts_minute', ...HOSTS },
  hostHours: { name: 'queuedeck_hosts_hour', ...HOSTS },
  metricOpen: { name: 'queuedeck_metrics_open', columns: METRIC_OPEN_COLUMNS, key: ['hour'] },
  bulk: {
    name: 'queuedeck_bulk_operations',
    columns: BULK_COLUMNS,
    key: ['seq'],
    indexes: [
      { name: 'id', columns: ['id'], unique: true },
      { name: 'ended', columns: ['ended_at'] },
    ],
  },
  edges: {
    name: 'queuedeck_edges',
    columns: EDGE_COLUMNS,
    key: ['seq', 'awaited'],
    // who waits for a job
    indexes: [{ name: 'awaited', columns: ['awaited'] }],
  },
  checkpoints: { name: 'queuedeck_checkpoints', columns: CHECKPOINT_COLUMNS, key: ['seq'] },
  drains: { name: 'queuedeck_drains', columns: DRAIN_COLUMNS, key: ['seq'] },
  bulkItems: { name: 'queuedeck_bulk_items', columns: BULK_ITEM_COLUMNS, key: ['seq', 'n'] },
  schedules: {
    name: 'queuedeck_schedules',
    columns: SCHEDULE_COLUMNS,
    key: ['seq'],
    indexes: [
      { name: 'id', columns: ['id'], unique: true },
      { name: 'name', columns: ['name'], unique: true },
      // what is to be looked at
      { name: 'look', columns: ['look_at'] },
    ],
  },
  scheduleRuns: {
    name: 'queuedeck_schedule_runs',
    columns: SCHEDULE_RUN_COLUMNS,
    key: ['seq', 'due_at', 'generation'],
    // what is late, and what has been kept long enough
    indexes: [{ name: 'due', columns: ['due_at', 'kind'] }],
  },
} satisfies Record<string, Table>
