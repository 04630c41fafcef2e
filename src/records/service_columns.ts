import { column } from './columns.ts'

/*
 * Columns of what is kept beside jobs: cleanups, audit, alerts, metrics, bulk actions, schedules.
 */

/** Runs of the cleanup. */
export const CLEANUP_COLUMNS = [
  column('seq', 'seq'),
  column('started_at', 'big'),
  column('ended_at', 'big', { null: true }),
  // `start`, `schedule`, `command`, `page`
  column('trigger_name', 'short'),
  column('actor', 'short'),
  column('process', 'short'),
  column('dry_run', 'small', { default: 0 }),
  // JSON: how many of each kind
  column('counts', 'long'),
  column('error', 'long', { null: true }),
]

/** Who did what when. */
export const AUDIT_COLUMNS = [
  column('seq', 'seq'),
  // UUID of the action
  column('id', 'short'),
  // when it began, by Redis' clock
  column('at', 'big'),
  column('actor', 'short'),
  column('actor_name', 'short', { null: true }),
  // what actors are looked for by without case: name, or id where there is none
  column('actor_fold', 'short'),
  // `page`, `api`, `command`, `code`
  column('via', 'short'),
  // the bulk operation that acted for them
  column('bulk', 'short', { null: true }),
  column('action', 'short'),
  column('target_kind', 'short'),
  column('target', 'short'),
  column('outcome', 'short'),
  column('reason', 'long', { null: true }),
  // JSON
  column('detail', 'long'),
]

/** Alerts, open ones and those that are over. */
export const ALERT_COLUMNS = [
  column('seq', 'seq'),
  column('rule', 'short'),
  column('subject', 'name'),
  // rule and subject while it is open, NULL afterwards: unique, so that no two are open
  column('open_key', 'name', { null: true }),
  column('opened_at', 'big'),
  // when it was last found to be so
  column('seen_at', 'big'),
  column('cleared_at', 'big', { null: true }),
  column('acknowledged_at', 'big', { null: true }),
  column('acknowledged_by', 'short', { null: true }),
  // told to the application, and to be sent: not while it is muted
  column('announced', 'small', { default: 0 }),
  // JSON: value, threshold, words
  column('facts', 'long'),
  // JSON: what is to be sent to whom, and what came of it
  column('delivery', 'long', { null: true }),
  // when something is to be sent next
  column('due_at', 'big', { null: true }),
]

/** What nobody wants to be told of; an empty subject is all of the rule's. */
export const ALERT_MUTE_COLUMNS = [
  column('rule', 'name'),
  column('subject', 'name'),
  // NULL is for ever
  column('until_at', 'big', { null: true }),
  column('made_at', 'big'),
  column('made_by', 'short'),
]

/** Sums of one name are rows with 0 in the place of the others; 0 everywhere is the sum of all. */
export const METRIC_COLUMNS = [
  column('queue_id', 'int'),
  column('type_id', 'int'),
  // 0 also where nobody ran the job yet
  column('host_id', 'int'),
  // minutes or hours since 1970
  column('slot', 'int'),
  column('added', 'big'),
  column('completed', 'big'),
  column('failed', 'big'),
  column('cancelled', 'big'),
  column('retried', 'big'),
  // sketches of milliseconds
  column('wait', 'long', { null: true }),
  column('run', 'long', { null: true }),
]

/** What workers of a host used, as the mirror's leader saw it every some seconds. */
export const HOST_COLUMNS = [
  column('host_id', 'int'),
  column('slot', 'int'),
  column('samples', 'big'),
  // thousandths of all cores together: sum and highest
  column('cpu', 'big'),
  column('cpu_most', 'big'),
  // bytes: sum and highest
  column('memory', 'big'),
  column('memory_most', 'big'),
  column('memory_limit', 'big'),
]

/** Hours whose minutes have changed since they were summed up. */
export const METRIC_OPEN_COLUMNS = [column('hour', 'int'), column('changes', 'big')]

/** Actions on many jobs. */
export const BULK_COLUMNS = [
  column('seq', 'seq'),
  // UUID
  column('id', 'short'),
  column('action', 'short'),
  column('priority', 'int', { null: true }),
  column('actor', 'short'),
  column('actor_name', 'short', { null: true }),
  column('via', 'short'),
  column('created_at', 'big'),
  column('ended_at', 'big', { null: true }),
  column('stopped', 'small', { default: 0 }),
  column('total', 'int'),
  // jobs by what came of them
  column('done', 'int', { default: 0 }),
  column('requested', 'int', { default: 0 }),
  column('too_late', 'int', { default: 0 }),
  column('refused', 'int', { default: 0 }),
]

/** Of the operations that drain a queue: what they take has no list. */
export const DRAIN_COLUMNS = [
  column('seq', 'seq'),
  column('queue', 'long'),
  // also jobs whose time has not come
  column('scheduled', 'small'),
  // what came later stays
  column('began_at', 'big'),
]

/** The jobs of these, in the order in which they were given. */
export const BULK_ITEM_COLUMNS = [
  column('seq', 'seq'),
  column('n', 'int'),
  column('job_id', 'short'),
  column('type', 'short'),
  column('run', 'int'),
  column('outcome', 'short', { null: true }),
  column('reason', 'long', { null: true }),
  // the process that began with it last
  column('process', 'short', { null: true }),
]

/** Recurring jobs. */
export const SCHEDULE_COLUMNS = [
  column('seq', 'seq'),
  // UUID
  column('id', 'short'),
  column('name', 'name'),
  column('type', 'short'),
  column('payload', 'long'),
  column('queue', 'short'),
  // JSON
  column('options', 'long'),
  // an expression and its zone, or an interval
  column('cron', 'short', { null: true }),
  column('zone', 'short', { null: true }),
  column('every_ms', 'big', { null: true }),
  column('overlap', 'short'),
  column('missed', 'short'),
  column('paused', 'small', { default: 0 }),
  // `code`, `page`
  column('origin', 'short'),
  // when a living process' code last defined it
  column('seen_at', 'big'),
  column('withdrawn', 'small', { default: 0 }),
  column('generation', 'int', { default: 1 }),
  column('created_at', 'big'),
  column('created_by', 'short'),
  column('changed_at', 'big'),
  column('changed_by', 'short'),
  // the newest moment that a run was made for; 0: none yet, NULL: none will come
  column('planned_at', 'big', { null: true }),
  // when the next run has to be made
  column('look_at', 'big', { null: true }),
]

/** Moments of schedules, and the jobs that were made for them. */
export const SCHEDULE_RUN_COLUMNS = [
  column('seq', 'seq'),
  column('due_at', 'big'),
  // of the schedule when it was made
  column('generation', 'int'),
  column('job_id', 'short', { null: true }),
  // index into RUN_KINDS
  column('kind', 'small'),
  column('made_at', 'big'),
]
