/**
 * What the rules of alerts watch. Stored and configured by these names, so append only.
 */
export const ALERT_RULES = [
  'noWorker',
  'oldestPending',
  'cpu',
  'memory',
  'staleWorker',
  'mirrorLag',
  'cleanupOverdue',
  'redisMemory',
  'redisEviction',
  'redisAway',
  'databaseAway',
  'failureRate',
  'missedSchedule',
] as const

export type AlertRule = (typeof ALERT_RULES)[number]

export function isAlertRule(name: unknown): name is AlertRule {
  return (ALERT_RULES as readonly unknown[]).includes(name)
}

/** What a rule's values are: a share of 100, milliseconds, a number of things, or only whether it is so (1 and 0). */
export type AlertUnit = 'percent' | 'duration' | 'count' | 'yes or no'

type Specification = {
  unit: AlertUnit
  /** What each of its alerts is about. */
  subject: 'queue' | 'host' | 'worker' | 'service' | 'schedule'
  title: string
  /** What it means. */
  meaning: string
  /** What to do about it. */
  remedy: string
  /**
   * Opens when the value has been at or above `threshold` for `for` milliseconds, and in `samples` reports where workers report
   * it; closes when it is below `clear`. Rules that know only yes and no have no threshold to set. Shares are of what ended in the last
   * `window` milliseconds, once that is `minimum` jobs.
   */
  defaults: {
    threshold: number
    clear: number
    for: number
    samples?: number
    window?: number
    minimum?: number
  }
}

const MINUTE = 60_000

/**
 * Each rule with what it means, what to do, and when it opens and closes by default: seldom enough for three in the morning.
 */
export const ALERT_SPECIFICATIONS: Record<AlertRule, Specification> = {
  noWorker: {
    unit: 'count',
    subject: 'queue',
    title: 'No worker for a queue',
    meaning: 'Jobs are pending, the queue is not paused, and no live worker takes its jobs.',
    remedy:
      'Start a worker that serves it (node ace queue:work), or let one that is quiet go on. If nobody needs the jobs, drain the queue.',
    defaults: { threshold: 1, clear: 1, for: 2 * MINUTE },
  },
  oldestPending: {
    unit: 'duration',
    subject: 'queue',
    title: 'Jobs wait too long',
    meaning:
      'The job that has been pending longest waits for a worker, a limit, or a paused queue.',
    remedy:
      'See on its page why it waits: add workers, raise the limit it waits for, or resume the queue.',
    defaults: { threshold: 60 * MINUTE, clear: 30 * MINUTE, for: 0 },
  },
  cpu: {
    unit: 'percent',
    subject: 'host',
    title: 'CPU',
    meaning: 'The workers of a host use nearly all of its cores, so jobs slow each other down.',
    remedy: 'See which jobs run there. Add a host, or let its workers run fewer jobs at once.',
    defaults: { threshold: 95, clear: 80, for: 0, samples: 2 },
  },
  memory: {
    unit: 'percent',
    subject: 'host',
    title: 'Memory',
    meaning:
      'The workers of a host are near its memory limit (of the container, where there is one); beyond it the system kills them.',
    remedy:
      'Let its workers run fewer jobs at once, raise the limit, or start them with --max-memory so that they end in order.',
    defaults: { threshold: 90, clear: 80, for: 0, samples: 2 },
  },
  staleWorker: {
    unit: 'duration',
    subject: 'worker',
    title: 'Silent worker',
    meaning:
      'A worker has not reported: it was killed, is stopped, or cannot reach Redis. Its jobs go on elsewhere once their leases end.',
    remedy:
      'See on its host whether the process lives, and why it ended. After five minutes it is taken off the list by itself.',
    defaults: { threshold: MINUTE, clear: 30_000, for: 0 },
  },
  mirrorLag: {
    unit: 'duration',
    subject: 'service',
    title: 'History behind',
    meaning: 'What happened that long ago is not in the records yet. Jobs go on; Redis keeps it.',
    remedy:
      'See whether a mirror runs (node ace queue:mirror --status) and whether the database takes its writes.',
    defaults: { threshold: MINUTE, clear: 10_000, for: 30_000 },
  },
  cleanupOverdue: {
    unit: 'duration',
    subject: 'service',
    title: 'Cleanup overdue',
    meaning: 'No cleanup has begun for so long, so Redis and the database only grow.',
    remedy:
      'Run node ace queue:cleanup and see what it says; cleanups run by themselves in web, worker and mirror processes.',
    defaults: { threshold: 30 * MINUTE, clear: 30 * MINUTE, for: MINUTE },
  },
  redisMemory: {
    unit: 'percent',
    subject: 'service',
    title: 'Redis nearly full',
    meaning: 'Once Redis is full nobody can dispatch jobs.',
    remedy:
      'Raise maxmemory, or free memory: run node ace queue:cleanup, drain queues nobody needs, keep completed jobs shorter (kept.completed).',
    defaults: { threshold: 80, clear: 70, for: 0 },
  },
  redisEviction: {
    unit: 'yes or no',
    subject: 'service',
    title: 'Redis may evict keys',
    meaning: 'With this eviction policy a full Redis deletes keys of jobs, and jobs are lost.',
    remedy:
      'Set it: CONFIG SET maxmemory-policy noeviction, and in the configuration of the server.',
    defaults: { threshold: 1, clear: 1, for: 0 },
  },
  redisAway: {
    unit: 'duration',
    subject: 'host',
    title: 'Redis away',
    meaning: 'A host cannot reach Redis: nothing can be dispatched, started or ended there.',
    remedy:
      'See whether Redis runs and whether this host reaches it. All goes on by itself afterwards.',
    defaults: { threshold: 30_000, clear: 30_000, for: 0 },
  },
  databaseAway: {
    unit: 'duration',
    subject: 'service',
    title: 'Database away',
    meaning:
      'The database takes no records: jobs go on, their history is written later, and Redis keeps it meanwhile.',
    remedy: 'See whether the database runs. Redis needs about 4 kB a job until it is back.',
    defaults: { threshold: 30_000, clear: 30_000, for: 0 },
  },
  failureRate: {
    unit: 'percent',
    subject: 'queue',
    title: 'Many jobs fail',
    meaning: 'Of the jobs that ended in a queue lately, many failed after their last attempt.',
    remedy:
      'See what the failed jobs have in common: their type, error or host. Mend it, and restart them.',
    defaults: { threshold: 50, clear: 25, for: 0, window: 10 * MINUTE, minimum: 20 },
  },
  missedSchedule: {
    unit: 'duration',
    subject: 'schedule',
    title: 'A schedule did not run',
    meaning: 'The time of a schedule has passed, and no worker has started its job.',
    remedy:
      'See that a worker serves its queue and is not full, and that a process keeps schedules (any worker or web process does).',
    defaults: { threshold: 2 * MINUTE, clear: MINUTE, for: 0 },
  },
}

/** When one rule opens and closes; durations in milliseconds. */
export type AlertRuleSettings = {
  threshold: number
  clear: number
  for: number
  samples: number
  /** Of `failureRate`: how far back it looks, and how many jobs have to have ended in that time. */
  window?: number
  minimum?: number
}
