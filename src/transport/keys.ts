import { InvalidInputException } from '../errors.ts'
import { shown } from '../shown.ts'

/** Where a job is kept. */
export type JobPlace = { queue: string; id: string }

/**
 * Names of everything we keep in Redis beside BullMQ's own keys. Ours carry `~` after the prefix, where BullMQ has `:`, so
 * they cannot meet a queue's name.
 */
export class Keys {
  constructor(readonly prefix: string) {}

  /** Set of the names of all queues ever used. */
  get queues() {
    return `${this.prefix}~queues`
  }

  /** Sorted set: worker id by its last report, Redis' milliseconds. */
  get workers() {
    return `${this.prefix}~workers`
  }

  /** Counter of change notices. */
  get revision() {
    return `${this.prefix}~revision`
  }

  /**
   * Channel of change notices. A server's numbered databases keep their keys apart but share its channels: what two applications with one
   * prefix count and tell must not meet there.
   */
  changes(database: number) {
    return `${this.prefix}~changes${channelEnd(database)}`
  }

  /** Channel of requests to workers. */
  control(database: number) {
    return `${this.prefix}~control${channelEnd(database)}`
  }

  /** Prefix of the keys of single workers' reports. */
  get workerReports() {
    return `${this.prefix}~worker:`
  }

  /** Hash of the limits in force, read by every claim. */
  get limits() {
    return `${this.prefix}~gate:limits`
  }

  /** Hash of the limits that the configuration gives. */
  get limitsConfigured() {
    return `${this.prefix}~gate:configured`
  }

  /** Hash of the limits that were set at run time. */
  get limitsSet() {
    return `${this.prefix}~gate:set`
  }

  /** List of the workers that were removed because they had become silent, newest first. */
  get removedWorkers() {
    return `${this.prefix}~removed-workers`
  }

  /** Stream of actions that are not in the audit's table yet. */
  get auditTrail() {
    return `${this.prefix}~audit`
  }

  /** Sorted set: restarted jobs behind which others are being restarted, by the moment from which on anybody may go on with them. */
  get flowBehind() {
    return `${this.prefix}~flow:behind`
  }

  /** Sorted set: ended jobs whose waiting jobs have not all been told (lua/flows.lua). */
  get flowTodo() {
    return `${this.prefix}~flow:todo`
  }

  /** Sorted set: jobs that others wait for. */
  get flowAwaited() {
    return `${this.prefix}~flow:awaited`
  }

  /** Sorted set: jobs whose long list of awaited jobs is being written. */
  get flowOpen() {
    return `${this.prefix}~flow:open`
  }

  worker(id: string) {
    return `${this.prefix}~worker:${id}`
  }

  /** What a worker was last asked to do. */
  wish(id: string) {
    return `${this.prefix}~wish:${id}`
  }

  /** Hash: keys that unique jobs hold until they start or end, by the jobs that hold them (lua/entries.lua). */
  get unique() {
    return `${this.prefix}~unique`
  }

  /** The queue and the id of a job, from its key. */
  placeOf(jobKey: string): JobPlace {
    const rest = jobKey.slice(this.prefix.length + 1)
    const colon = rest.indexOf(':')
    return { queue: rest.slice(0, colon), id: rest.slice(colon + 1) }
  }

  /** Hash: how many jobs one draining of a queue has cancelled. */
  draining(id: string): string {
    return `${this.prefix}~draining:${id}`
  }

  /** Set of the keys of jobs whose records are being erased: they cannot be restarted. */
  get erasing() {
    return `${this.prefix}~erasing`
  }

  /** Hash: how many transports were removed since the last cleanup took note of it, by kind. */
  get removed() {
    return `${this.prefix}~removed`
  }

  /** When schedules were last looked after, Redis' milliseconds. */
  get schedulesAlive() {
    return `${this.prefix}~schedules:alive`
  }

  /** List of the times when nobody looked after schedules. */
  get schedulesAway() {
    return `${this.prefix}~schedules:away`
  }

  /** Set of the schedules with runs that wait for the end of an earlier one. */
  get schedulesWaiting() {
    return `${this.prefix}~schedules:waiting`
  }

  /** Hash: what was said of a schedule's newest run, and which run started last. */
  schedule(id: string) {
    return `${this.prefix}~schedule:${id}`
  }

  /** List of a schedule's runs that wait for the end of an earlier one. */
  scheduleWaiting(id: string) {
    return `${this.prefix}~schedule:${id}:waiting`
  }

  lease(name: string) {
    return `${this.prefix}~lease:${name}`
  }

  /** What all of a queue's keys begin with; jobs are kept at this and their id. */
  queue(queue: string) {
    return `${this.prefix}:${queue}:`
  }

  job(queue: string, id: string) {
    return `${this.prefix}:${queue}:${id}`
  }

  lock(queue: string, id: string) {
    return `${this.prefix}:${queue}:${id}:lock`
  }

  events(queue: string) {
    return `${this.prefix}:${queue}:events`
  }

  /** The queue that an event stream belongs to; undefined for any other key. */
  queueOfEvents(key: string): string | undefined {
    if (!key.startsWith(`${this.prefix}:`) || !key.endsWith(':events')) return undefined
    return key.slice(this.prefix.length + 1, -7)
  }
}

function channelEnd(database: number): string {
  return database === 0 ? '' : `:${database}`
}

/** What a queue can be called, for people. */
export const QUEUE_NAME =
  '1 to 200 characters without ":", control characters and half surrogate pairs'

/**
 * Whether this can name a queue: BullMQ separates its keys by colons, control characters are never meant, and half a surrogate
 * pair is U+FFFD in Redis and SQL, so that two names would be one queue.
 */
export function isQueueName(name: unknown): name is string {
  return (
    typeof name === 'string' &&
    name.length > 0 &&
    name.length <= 200 &&
    !/[:\p{Cc}\p{Cs}]/u.test(name)
  )
}

/**
 * Refuses what cannot name a queue.
 */
export function assertQueueName(name: string): void {
  if (!isQueueName(name)) {
    throw new InvalidInputException(
      `"${shown(name, 80)}" cannot name a queue: give ${QUEUE_NAME}`,
      'queue'
    )
  }
}
