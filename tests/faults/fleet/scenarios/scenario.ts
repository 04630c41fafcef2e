import type { OwnDatabase } from '../../mirror/victims.ts'
import type { PrivateServer } from '#tests/helpers/servers'
import type { TcpProxy } from '#tests/helpers/tcp_proxy'
import type { Fleet } from '../fleet.ts'
import type { SmallDisk } from '../small_disk.ts'

/** How much of everything: the short form is part of every run of all tests. */
export type Size = {
  /** Jobs of a scenario, and of the one that kills. */
  jobs: number
  stormJobs: number
  kills: number
  /** How long something is away or busy, ms; longer than a lease in any case. */
  away: number
}

export const SHORT: Size = { jobs: 60, stormJobs: 100, kills: 2, away: 3_000 }
export const LONG: Size = { jobs: 3_000, stormJobs: 100_000, kills: 200, away: 30_000 }

/** What a scenario may break. */
export type Stage = {
  fleet: Fleet
  redis: PrivateServer
  /** The way of the second worker to Redis. */
  proxy: TcpProxy
  database: OwnDatabase
  /** Where the database is; null where no disk may be mounted. */
  disk: SmallDisk | null
  size: Size
}

/**
 * One kind of fault. It dispatches jobs, breaks something while they run, and mends it; what must hold afterwards is the same for all.
 */
export type Scenario = { name: string; run(stage: Stage): Promise<void> }
