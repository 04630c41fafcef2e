import type { WorkerView } from '../types.ts'

/**
 * A worker as it reports itself: everything but the age of the report, which Redis' clock tells. `clock` is its host's own, epoch ms:
 * nothing is decided by it, the doctor tells where it goes wrong. Null where a report does not say.
 */
export type WorkerReport = Omit<WorkerView, 'age'> & { clock: number | null }

/** A worker that was removed after its silence: when, by Redis' clock (epoch ms), how long it had been silent then (ms), and which of all removals it was. */
export type WorkerRemoval = { id: string; at: number; silent: number; number: number }

type Running = WorkerView['running'][number]

/** The last moment that a date can be, epoch ms. */
const LAST_MOMENT = 8.64e15

/** Far below what a column holds, so that sums of an hour do too. */
const MOST = 1e15

const STATES: readonly unknown[] = ['active', 'quiet', 'stopping']

/**
 * Reads what another process wrote as its report: one of another release, or any program that reaches Redis. What has the wrong shape
 * counts as not said: 0 or nothing; 0 cores say that the report does not tell what its worker uses. Null where it is no report at all.
 *
 * @param id  as it is registered: it begins with the host
 */
export function readWorkerReport(id: string, text: string): WorkerReport | null {
  const report = readObject(text)
  if (report === null) return null
  const { host, queues, state, version, clock, startedAt } = report
  return {
    id,
    host: isName(host) ? host : id.split(':')[0],
    pid: amount(report.pid),
    version: isName(version) ? version : '',
    queues: Array.isArray(queues) ? queues.filter(isName) : [],
    concurrency: amount(report.concurrency),
    running: Array.isArray(report.running) ? report.running.filter(isRunning).map(running) : [],
    ...usage(report),
    loopDelay: amount(report.loopDelay),
    startedAt: isMoment(startedAt) ? startedAt : 0,
    clock: isMoment(clock) ? clock : null,
    state: STATES.includes(state) ? (state as WorkerReport['state']) : 'active',
  }
}

/** Null where the text is no note of a removal. */
export function readWorkerRemoval(text: string): WorkerRemoval | null {
  const { id, at, silent, number } = readObject(text) ?? {}
  return isName(id) && isMoment(at)
    ? { id, at, silent: amount(silent), number: amount(number) }
    : null
}

/** All of it or, with 0 cores, nothing: a part of it would count as a worker that uses nothing of the rest. */
function usage(report: Record<string, unknown>): Pick<WorkerReport, 'cpu' | 'cores' | 'memory'> {
  const { cpu, cores } = report
  const { used, limit } = isObject(report.memory) ? report.memory : {}
  const isSaid = isAmount(cpu) && isAmount(cores) && isAmount(used) && isAmount(limit)
  return isSaid
    ? { cpu, cores, memory: { used, limit } }
    : { cpu: 0, cores: 0, memory: { used: 0, limit: 0 } }
}

function running({ id, queue, type, startedAt, signalIgnored }: Running): Running {
  const job = { id, queue, type, startedAt }
  return signalIgnored === true ? { ...job, signalIgnored } : job
}

function isRunning(value: unknown): value is Running {
  if (!isObject(value)) return false
  const { id, queue, type, startedAt } = value
  return isName(id) && isName(queue) && isName(type) && isMoment(startedAt)
}

function readObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    // Another program's; one that cannot be read must not hide the others.
    return null
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Half a surrogate pair has no form in an address, and no name that came out of Redis has one. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.isWellFormed()
}

function isMoment(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= LAST_MOMENT
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < MOST
}

function amount(value: unknown): number {
  return isAmount(value) ? value : 0
}
