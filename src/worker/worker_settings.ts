import type { ContainerResolver } from '@adonisjs/core/container'
import type { LogSink } from '../jobs/job_context.ts'
import type { JobRegistry } from '../jobs/registry.ts'
import type { Clock } from '../time/long_timer.ts'
import type { Transport } from '../transport/transport.ts'
import type { ResolvedConfig } from '../types.ts'
import type { IsolationCommand } from './isolation/isolated_process.ts'

/**
 * What a worker process is given.
 */
export type WorkerDependencies = {
  config: ResolvedConfig
  transport: Transport
  registry: JobRegistry
  container: Pick<ContainerResolver<any>, 'make'>
  logger: LogSink
  /** Version of the application or package, as the list of workers shows it. */
  version: string
  /** How a process for isolated jobs is started. */
  isolation?: IsolationCommand
  clock?: Clock
}

/**
 * How it is to work. Durations in milliseconds.
 */
export type WorkerSettings = {
  /** Only these; without them all that are known, new ones as they appear. */
  queues?: string[]
  concurrency?: number
  grace?: number
  /** Ends when there is no job left that could run now. */
  once?: boolean
  /** Ends after this many jobs. */
  maxJobs?: number
  /** Ends when it has more bytes resident than this, with its processes for isolated jobs. */
  maxMemory?: number
}

/**
 * Why a worker ended, and whether everything that ran is accounted for in Redis.
 */
export type WorkerEnding = {
  reason: 'stopped' | 'worked off' | 'max jobs' | 'max memory' | 'uncaught error'
  /** Jobs that were handed back because their grace period was over. */
  handedBack: number
  /** False when Redis did not take the end of some job in time: its lease runs out, and it runs again. */
  clean: boolean
  /** Jobs started since the start. */
  jobs: number
}
