import type { BackendFactory, RedisQueueBackend } from 'bullmq'
import { AuditTrail } from './audit_trail.ts'
import { backendFactory } from './backend.ts'
import { ChangeChannel } from './change_channel.ts'
import { Checkpoints } from './checkpoints.ts'
import type { RedisClient } from './client.ts'
import type { Connections } from './connections.ts'
import { ControlChannel } from './control_channel.ts'
import type { AwaitedLookup } from './flow_edges.ts'
import { FlowRestarts } from './flow_restarts.ts'
import { Flows } from './flows.ts'
import { JobAdder } from './job_adder.ts'
import { JobEdits } from './job_edits.ts'
import { assertQueueName, Keys } from './keys.ts'
import { Lease } from './lease.ts'
import { Limits } from './limits.ts'
import { QueueControl } from './queue_control.ts'
import { restart, type RestartRequest } from './restart.ts'
import { ScriptDelivery, type ScriptArgument } from './scripts/delivery.ts'
import { ScheduledJobs } from './scheduled_jobs.ts'
import type { OwnScript } from './scripts/own_scripts.ts'
import { buildLibrary, STREAM_CAP } from './scripts/workshop.ts'
import { TransportAudit } from './transport_audit.ts'
import { WorkerRegistry } from './worker_registry.ts'
import type {
  CancelAnswer,
  Depths,
  Duplicates,
  NewTransportJob,
  Report,
  RestartAnswer,
  TransportState,
} from './types.ts'

export type TransportOptions = {
  /** Prefix of every key, with a hash tag. */
  prefix: string
  /** Told what people should learn though nobody asked. */
  warn?: (message: string) => void
  /** For tests: deliver by EVALSHA although Redis has functions. */
  withoutFunctions?: boolean
  /** For tests: length at which an unread event stream is cut. */
  streamCap?: number
}

/**
 * Jobs in Redis: everything that adds, stops or restarts them, and everything that asks for them. Each change is atomic and
 * appends its entry to the queue's event stream, from which the mirror writes records.
 *
 * Methods on jobs answer within 5 s or throw E_REDIS_UNAVAILABLE, unless a client of one's own is given.
 */
export class Transport {
  readonly keys: Keys

  readonly delivery: ScriptDelivery

  /** Length at which an event stream that nobody mirrors is cut. */
  readonly streamCap: number

  /** For `new Worker(name, processor, options, transport.backendFactory)`, and for Queue and FlowProducer. */
  readonly backendFactory: BackendFactory<RedisQueueBackend>

  readonly control: ControlChannel

  readonly changes: ChangeChannel

  readonly workers: WorkerRegistry

  /** Limits on jobs that run at once. */
  readonly limits: Limits

  /** Pausing, resuming and draining whole queues. */
  readonly queueControl: QueueControl

  /** Who did what: every operation goes through it. */
  readonly trail: AuditTrail

  /** Changing and deleting single jobs. */
  readonly edits: JobEdits

  /** What running jobs keep for their next attempts. */
  readonly checkpoints: Checkpoints

  /** Jobs that wait for other jobs. */
  readonly flows: Flows
  readonly flowRestarts: FlowRestarts
  /** Jobs that schedules made. */
  readonly scheduled: ScheduledJobs

  /** What reconcile, cleanup and trimming need. */
  readonly audit: TransportAudit

  /** Tells people what they should learn though nobody asked. */
  readonly warn: (message: string) => void

  #adder: JobAdder

  constructor(
    readonly connections: Connections,
    options: TransportOptions
  ) {
    this.keys = new Keys(options.prefix)
    this.streamCap = options.streamCap ?? STREAM_CAP
    this.delivery = new ScriptDelivery(buildLibrary({ cap: options.streamCap }), options)
    this.backendFactory = backendFactory(this.delivery)
    this.warn = options.warn ?? (() => {})
    this.#adder = new JobAdder(this)
    this.control = new ControlChannel(this)
    this.changes = new ChangeChannel(this)
    this.workers = new WorkerRegistry(this)
    this.limits = new Limits(this)
    this.queueControl = new QueueControl(this)
    this.trail = new AuditTrail(this)
    this.edits = new JobEdits(this)
    this.checkpoints = new Checkpoints(this)
    this.flows = new Flows(this)
    this.flowRestarts = new FlowRestarts(this)
    this.scheduled = new ScheduledJobs(this)
    this.audit = new TransportAudit(this)
  }

  /**
   * Adds jobs, in order, a thousand in one round trip. Each is added completely or not at all, with what it waits for.
   *
   * @param lookup  How awaited jobs ended that Redis has forgotten.
   * @returns those that another job's unique key kept out; undefined when there are none
   * @throws E_DUPLICATE_JOB when an id is taken (the others of the call are added), E_AWAITED_UNKNOWN, E_FLOW_CIRCLE,
   *   E_REDIS_UNAVAILABLE
   */
  add(jobs: NewTransportJob[], lookup?: AwaitedLookup): Promise<Duplicates | undefined> {
    return this.#adder.add(jobs, lookup)
  }

  /**
   * Cancels a job in any state but the terminal ones.
   *
   * @returns `done`: it was not running and has ended as cancelled. `requested`: its worker was told, and it can only end as
   *   cancelled. `foreign`: a plain BullMQ worker runs it, which cannot be told. `too_late`: it had ended. `missing`: Redis does
   *   not know it.
   */
  async cancel(
    queue: string,
    id: string,
    request: { by: string; reason: string }
  ): Promise<CancelAnswer> {
    const [outcome, run] = (await this.#produce('cancel', `job ${id} was not cancelled`, [
      this.keys.job(queue, id),
      this.keys.events(queue),
      this.keys.queue(queue),
      id,
      request.by,
      request.reason,
      this.keys.control(this.connections.database),
    ])) as [CancelAnswer['outcome'], number]
    return { outcome, run }
  }

  /** Opens the next run of a job that ended (`restart`). */
  restart(queue: string, id: string, request: RestartRequest): Promise<RestartAnswer> {
    return restart(this, queue, id, request)
  }

  /**
   * Writes progress and log lines of a running attempt.
   *
   * @returns false when the attempt no longer holds the job: nothing was written, and its code should stop
   */
  async report(
    queue: string,
    id: string,
    report: Report,
    client: RedisClient = this.connections.worker
  ): Promise<boolean> {
    const answer = await this.call(client, 'report', [
      this.keys.job(queue, id),
      this.keys.lock(queue, id),
      this.keys.events(queue),
      id,
      report.token,
      report.attempt,
      report.progress === undefined ? '' : JSON.stringify(report.progress),
      report.log === undefined || report.log.length === 0 ? '' : JSON.stringify(report.log),
      report.signalIgnored ? '1' : '',
      report.name,
    ])
    return answer === 1
  }

  /** The request to cancel a running job; null while there is none. */
  async cancelRequest(queue: string, id: string, client: RedisClient = this.connections.worker) {
    const text = await client.hget(this.keys.job(queue, id), 'cr')
    return text === null ? null : readRequest(text)
  }

  /** Names of every queue that was ever used, sorted. */
  async queueNames(client?: RedisClient): Promise<string[]> {
    const read = (from: RedisClient) => from.smembers(this.keys.queues)
    const names = client
      ? await read(client)
      : await this.connections.produce('queues cannot be listed', read)
    return names.sort()
  }

  /** Makes queues known: those that a worker serves or the configuration watches. */
  async registerQueues(names: string[], client?: RedisClient): Promise<void> {
    for (const name of names) assertQueueName(name)
    if (names.length === 0) return
    const write = (to: RedisClient) => to.sadd(this.keys.queues, ...names)
    await (client ? write(client) : this.connections.produce('queues cannot be made known', write))
  }

  /** How many jobs of each state Redis holds, per queue, at one moment. */
  async depths(names: string[], client?: RedisClient): Promise<Record<string, Depths>> {
    if (names.length === 0) return {}
    const args = [this.keys.queues, ...names.map((name) => this.keys.queue(name))]
    const rows = (
      client
        ? await this.call(client, 'depths', args)
        : await this.#produce('depths', 'depths cannot be read', args)
    ) as number[][]
    return Object.fromEntries(
      rows.map(
        ([waiting, prioritized, scheduled, blocked, running, completed, failed, paused], index) => [
          names[index],
          {
            pending: waiting + prioritized,
            scheduled,
            blocked,
            running,
            completed,
            failed,
            paused: paused === 1,
          },
        ]
      )
    )
  }

  /** Where Redis holds a job now. */
  async state(queue: string, id: string): Promise<TransportState | 'missing'> {
    const [facts] = await this.connections.produce(
      'the job cannot be looked up',
      async (client) => {
        const { facts: found } = await this.audit.facts(queue, [id], client)
        return found
      }
    )
    return facts?.state ?? 'missing'
  }

  /** Redis' clock, epoch milliseconds; without a client in time, or not at all. */
  async time(client?: RedisClient): Promise<number> {
    const read = (from: RedisClient) => from.time()
    const [seconds, microseconds] = client
      ? await read(client)
      : await this.connections.produce('its clock cannot be read', read)
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
  }

  /** A lease of this name for one owner. */
  lease(
    name: string,
    owner: string,
    options: { milliseconds: number; client?: RedisClient }
  ): Lease {
    return new Lease(this, name, owner, options)
  }

  /** Calls one of our own scripts on a given connection. */
  call(client: RedisClient, script: OwnScript, args: ScriptArgument[]): Promise<unknown> {
    return this.delivery.call(client, script, args)
  }

  #produce(script: OwnScript, action: string, args: ScriptArgument[]): Promise<unknown> {
    return this.connections.produce(action, (client) => this.call(client, script, args))
  }
}

/** That a request is there is what counts; who asked may be unreadable. */
function readRequest(text: string): { at?: number; by?: string; reason?: string } {
  try {
    return JSON.parse(text) ?? {}
  } catch {
    return {}
  }
}
