import type { FlowEdge } from './flow_edges.ts'
import type { JobPlace } from './keys.ts'
import type { ScheduleMark } from '../schedule_types.ts'
import type { Progress } from '../types.ts'

/**
 * A job to add. `data` is JSON text. `opts` are BullMQ's own options (`delay` in ms), and ours below `qd`,
 * durations in ms.
 */
export type NewTransportJob = {
  queue: string
  id: string
  name: string
  data: string
  opts: {
    /** Moment of the dispatch, epoch ms. */
    timestamp: number
    delay?: number
    priority?: number
    attempts?: number
    backoff?: unknown
    lifo?: boolean
    qd?: {
      user?: string
      tags?: string[]
      timeout?: number
      sensitive?: true
      by?: string
      /** The moment by Redis' clock at which the job is due, epoch ms; without it `delay` after Redis has taken the job. */
      at?: number
      /** `until` a number: milliseconds from the dispatch. */
      unique?: UniqueOption
      /** The schedule that made it. */
      schedule?: ScheduleMark
      /** The ended job that this one runs again. */
      again?: JobPlace
      /** What it waits for, as `writeEdge` writes it; of a list that is too long for options only its length. */
      waitFor?: string[] | number
    }
  }
  /** Jobs that have to end before it runs: none, or at least one. */
  waitFor?: FlowEdge[]
  /** Those of them that have ended already are not waited for, however they ended. */
  ignoreEnded?: true
}

/** `foreign`: a worker of plain BullMQ runs it, which cannot be told. */
export type CancelAnswer = {
  outcome: 'done' | 'requested' | 'too_late' | 'missing' | 'foreign'
  run: number
}

/** `holder`: the job that has what this one needs to itself, when the outcome is `taken`. */
export type RestartAnswer = {
  outcome: 'done' | 'too_late' | 'taken'
  run: number
  holder?: JobPlace
}

/** What a job has to itself among jobs of its type, until it starts or ends, or for so many milliseconds from its dispatch. */
export type UniqueOption = { key: string; until: 'started' | 'finished' | number }

/** Jobs that were not added, by their ids: another job holds their unique key. */
export type Duplicates = Map<string, JobPlace>

/** A log line: epoch ms, level by pino's numbers (10 to 60), text. */
export type LogEntry = [at: number, level: number, text: string]

/** What a running attempt reports, or its worker of it: `token` is its lock's, `attempt` BullMQ's `attemptsStarted`. */
export type Report = {
  token: string
  attempt: number
  /** That of no other report of the job. */
  name: string
  progress?: Progress
  log?: LogEntry[]
  /** Its signal was aborted, the grace period is over, and its code has not returned. */
  signalIgnored?: boolean
}

/** What a worker process can be asked to do from elsewhere: take no more jobs, take jobs again, end as after SIGTERM. */
export type WorkerWish = 'quiet' | 'resume' | 'stop'

/** How many jobs a queue holds in Redis. */
export type Depths = {
  pending: number
  scheduled: number
  blocked: number
  running: number
  completed: number
  failed: number
  paused: boolean
}

/** Where BullMQ keeps a job. `failed` holds cancelled ones too. */
export type TransportState =
  'waiting' | 'prioritized' | 'delayed' | 'waiting-children' | 'active' | 'completed' | 'failed'
