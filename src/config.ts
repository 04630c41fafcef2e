import string from '@adonisjs/core/helpers/string'
import { alertSettings } from './alerts_config.ts'
import { assertKnownKeys, duration, text, whole, wrong, yesOrNo } from './config_checks.ts'
import { isQueueName, QUEUE_NAME } from './transport/keys.ts'
import type { Duration, KeptClocks, QueuedeckConfig, ResolvedConfig } from './types.ts'

/** Largest limit that can be set: beyond it nobody limits anything. */
export const LARGEST_LIMIT = 1_000_000

/** What the name of a user or type that is limited has to be, in words. */
export const LIMITED_NAME = '1 to 200 characters without control characters'

/** Whether a user or type can have this name; whom nobody can be, no limit would ever meet. */
export function isLimitedName(name: unknown): name is string {
  return typeof name === 'string' && /^[^\p{Cc}\p{Cs}]{1,200}$/u.test(name)
}

const MEBIBYTE = 1_048_576
const MINUTE = 60_000
const DAY = 86_400_000

/**
 * Every key that may stand in the configuration, by its place.
 */
const KNOWN: Record<string, string[]> = {
  '': [
    'redis',
    'prefix',
    'database',
    'defaultQueue',
    'queues',
    'payloadLimit',
    'jobs',
    'worker',
    'limits',
    'mirror',
    'kept',
    'cleanup',
    'alerts',
    'dashboard',
  ],
  'worker': ['concurrency', 'timeout', 'grace', 'lease', 'maxLosses'],
  'limits': ['global', 'user', 'users', 'types', 'queues'],
  'kept': [
    'completed',
    'cancelled',
    'failed',
    'atStart',
    'results',
    'claims',
    'records',
    'details',
    'cleanups',
    'alerts',
    'audit',
    'metrics',
  ],
  'kept.records': ['completed', 'failed', 'cancelled'],
  'kept.metrics': ['minutes', 'hours'],
  'cleanup': ['every', 'automatic'],
  'dashboard': ['prefix', 'proxyPrefix', 'access', 'redact'],
  'dashboard.access': ['view', 'manage', 'actor'],
}

const resolvedConfigs = new WeakSet<object>()

/**
 * Checks the configuration and fills in every default; durations come out in milliseconds.
 *
 * @throws E_INVALID_CONFIG naming the key, its value and the remedy
 */
export function defineConfig(config: QueuedeckConfig): ResolvedConfig {
  checkKeys(config, '')
  const { worker = {}, limits = {}, kept = {}, cleanup = {}, dashboard = {} } = config
  checkKeys(worker, 'worker')
  checkKeys(limits, 'limits')
  checkKeys(kept, 'kept')
  checkKeys(kept.records ?? {}, 'kept.records')
  checkKeys(kept.metrics ?? {}, 'kept.metrics')
  checkKeys(cleanup, 'cleanup')
  checkKeys(dashboard, 'dashboard')
  checkKeys(dashboard.access ?? {}, 'dashboard.access')

  const resolved: ResolvedConfig = {
    redis: text(config.redis, 'redis'),
    prefix: keyPrefix(config.prefix ?? '{queuedeck}'),
    database: text(config.database, 'database'),
    defaultQueue: queueName(config.defaultQueue ?? 'default', 'defaultQueue'),
    queues: list(config.queues ?? [], 'queues').map((name) => queueName(name, 'queues')),
    payloadLimit: bytes(config.payloadLimit ?? MEBIBYTE),
    jobs: text(config.jobs ?? 'app/jobs', 'jobs')!,
    worker: {
      concurrency: whole(worker.concurrency ?? 10, 'worker.concurrency', 1, 10_000),
      timeout: duration(worker.timeout ?? '72h', 'worker.timeout', 1),
      grace: duration(worker.grace ?? '30s', 'worker.grace', 0),
      /**
       * Leases are renewed at half their length; below a second a busy event loop would lose jobs that run well. Above a day nobody
       * would see the job of a dead worker again, and timers hold no more than weeks.
       */
      lease: duration(worker.lease ?? '30s', 'worker.lease', 1_000, DAY),
      maxLosses: whole(worker.maxLosses ?? 3, 'worker.maxLosses', 0, 1_000),
    },
    limits: {
      global: limit(limits.global, 'limits.global', 10),
      user: limit(limits.user, 'limits.user', 3),
      users: limitsOf(limits.users, 'limits.users'),
      types: numbersOf(limits.types, 'limits.types'),
      queues: numbersOf(limits.queues, 'limits.queues', (name) => queueName(name, 'limits.queues')),
    },
    mirror: yesOrNo(config.mirror ?? true, 'mirror'),
    kept: keptClocks(kept),
    cleanup: {
      every: duration(cleanup.every ?? '10m', 'cleanup.every', 10_000),
      automatic: yesOrNo(cleanup.automatic ?? true, 'cleanup.automatic'),
    },
    alerts: alertSettings(
      config.alerts ?? {},
      duration(cleanup.every ?? '10m', 'cleanup.every', 0)
    ),
    dashboard: {
      prefix: path(dashboard.prefix ?? '/admin/queue', 'prefix'),
      proxyPrefix: dashboard.proxyPrefix ? path(dashboard.proxyPrefix, 'proxyPrefix') : '',
      access: callbacks(dashboard.access ?? {}),
      redact: list(dashboard.redact ?? [], 'dashboard.redact'),
    },
  }
  resolvedConfigs.add(resolved)
  return resolved
}

/**
 * The configuration of an application, whether or not its file calls `defineConfig`.
 */
export function resolveConfig(config: QueuedeckConfig | ResolvedConfig): ResolvedConfig {
  return resolvedConfigs.has(config)
    ? (config as ResolvedConfig)
    : defineConfig(config as QueuedeckConfig)
}

function keptClocks(kept: NonNullable<QueuedeckConfig['kept']>): KeptClocks {
  const { records = {}, atStart = '1h', results = '500s', claims = '10m' } = kept
  const { cleanups = '90d', alerts = '90d' } = kept
  const clocks = {
    completed: orForEver(records.completed, 'kept.records.completed', '30d'),
    failed: orForEver(records.failed, 'kept.records.failed', '90d'),
    cancelled: orForEver(records.cancelled, 'kept.records.cancelled', '90d'),
  }
  /** What Redis still holds is what records are compared with after an outage: a record goes last. */
  const inRedis = (key: 'completed' | 'cancelled' | 'failed', fallback: Duration) =>
    Math.min(
      duration(kept[key] === undefined ? fallback : kept[key], `kept.${key}`, 0),
      clocks[key] ?? Number.POSITIVE_INFINITY
    )
  return {
    completed: inRedis('completed', '24h'),
    cancelled: inRedis('cancelled', '2h'),
    failed: inRedis('failed', 0),
    atStart: duration(atStart, 'kept.atStart', 0),
    results: duration(results, 'kept.results', 0),
    claims: duration(claims, 'kept.claims', MINUTE),
    records: clocks,
    details: orForEver(kept.details, 'kept.details', '30d'),
    cleanups: duration(cleanups, 'kept.cleanups', MINUTE),
    alerts: duration(alerts, 'kept.alerts', MINUTE),
    audit: orForEver(kept.audit, 'kept.audit', '365d'),
    metrics: {
      minutes: duration(kept.metrics?.minutes ?? '90d', 'kept.metrics.minutes', 60 * MINUTE),
      hours: duration(kept.metrics?.hours ?? '730d', 'kept.metrics.hours', 60 * MINUTE),
    },
  }
}

function orForEver(
  value: Duration | null | undefined,
  key: string,
  fallback: Duration
): number | null {
  return value === null ? null : duration(value ?? fallback, key, MINUTE)
}

function checkKeys(value: object, place: string): void {
  assertKnownKeys(value, place, KNOWN[place])
}

function keyPrefix(value: unknown): string {
  if (typeof value !== 'string' || !/^[^\s:~]{1,64}$/.test(value)) {
    throw wrong(
      'prefix',
      value,
      'give 1 to 64 characters without space, ":" and "~", with a hash tag such as "{queuedeck}"'
    )
  }
  if (!/\{[^{}]+\}/.test(value)) {
    throw wrong(
      'prefix',
      value,
      'put a part in braces, such as "{queuedeck}", so that Redis Cluster keeps all keys in one slot'
    )
  }
  return value
}

function queueName(value: unknown, key: string): string {
  if (!isQueueName(value)) {
    throw wrong(key, value, `give queue names of ${QUEUE_NAME}`)
  }
  return value
}

function list(value: unknown, key: string): string[] {
  if (
    !Array.isArray(value) ||
    value.some((member) => typeof member !== 'string' || member === '')
  ) {
    throw wrong(key, value, 'give a list of texts')
  }
  return value
}

function bytes(value: unknown): number {
  let parsed: unknown = value
  if (typeof value === 'string') {
    /** The parser itself reads the number of "1 apple" and takes it for bytes. */
    parsed = /^\d+(\.\d+)?\s*(b|kb|mb|gb)?$/i.test(value) ? string.bytes.parse(value) : undefined
  }
  if (typeof parsed !== 'number' || !Number.isFinite(parsed) || parsed < 1) {
    throw wrong(
      'payloadLimit',
      value,
      'give a number of bytes or an expression such as "512kb" or "1mb"'
    )
  }
  return Math.floor(parsed)
}

function limit(value: unknown, key: string, otherwise: number): number | null {
  if (value === undefined) return otherwise
  if (value === null) return null
  if (!Number.isSafeInteger(value) || (value as number) < 1 || (value as number) > LARGEST_LIMIT) {
    throw wrong(
      key,
      value,
      `give a whole number from 1 to ${LARGEST_LIMIT}, or null for no limit. To run nothing at all, pause the queue`
    )
  }
  return value as number
}

function limitsOf(
  value: unknown,
  key: string,
  checkName: (name: string) => unknown = (name) => limitedName(name, key)
): Record<string, number | null> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(key, value, 'give an object of names and whole numbers')
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, most]) => most !== undefined)
      .map(([name, most]) => {
        checkName(name)
        return [name, limit(most, `${key}.${name}`, 0)]
      })
  )
}

function limitedName(name: string, key: string): void {
  if (!isLimitedName(name)) {
    throw wrong(key, name, `name ${LIMITED_NAME}`)
  }
}

/** Where nothing limits but what is said here, no limit is said by saying nothing. */
function numbersOf(
  value: unknown,
  key: string,
  checkName?: (name: string) => unknown
): Record<string, number> {
  const limits = limitsOf(value, key, checkName)
  for (const [name, most] of Object.entries(limits)) {
    if (most === null) throw wrong(`${key}.${name}`, null, 'give a whole number, or leave it out')
  }
  return limits as Record<string, number>
}

function path(value: unknown, key: 'prefix' | 'proxyPrefix'): string {
  if (typeof value !== 'string' || !/^(\/[\w.~-]+)+\/?$/.test(value)) {
    throw wrong(`dashboard.${key}`, value, 'give a path such as "/admin/queue"')
  }
  return value.replace(/\/$/, '')
}

function callbacks(access: NonNullable<QueuedeckConfig['dashboard']>['access'] & object) {
  for (const [key, value] of Object.entries(access)) {
    if (value !== undefined && typeof value !== 'function') {
      throw wrong(`dashboard.access.${key}`, value, 'give a function')
    }
  }
  return access
}
