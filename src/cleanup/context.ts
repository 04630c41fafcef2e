import { setTimeout as pause } from 'node:timers/promises'
import type { Eraser } from '../records/eraser/eraser.ts'
import type { RedisClient } from '../transport/client.ts'
import type { Transport } from '../transport/transport.ts'
import type { BatchSize } from './batch_size.ts'
import type { CleanupCounts, CleanupKind } from './kinds.ts'

/**
 * What the parts of a run share.
 */
export type CleanupContext = {
  transport: Transport
  eraser: Eraser
  redis: RedisClient
  signal: AbortSignal
  /** Number of the run's own record. */
  run: number
  counts: CleanupCounts
  /** Queues whose records have to stay: the mirror is behind. */
  behind: Set<string>
  /** How long the mirror may take to write what Redis told before a claim, ms. */
  patience: number
  /** Told after every step. */
  progressed: (kind: CleanupKind) => void
  /** Told how long each transaction held its lock, ms. */
  held?: (milliseconds: number) => void
}

/** A record with more rows of log or timeline than this loses them in pieces. */
export const HEAVY = 4_000

/** Whoever waits for SQLite's file asks again within 22 ms; the other databases have queues. At least so long, ms. */
const YIELD = { sqlite: 25, postgres: 5, mysql: 5 }

/**
 * How much of the time of a transaction is left to others behind it. InnoDB writes changed pages in the background; one who deletes without
 * a pause outruns that, fills the log (96 MB by default), and then everybody waits for seconds until there is room.
 */
const REST = { sqlite: 0, postgres: 0, mysql: 1 }

/**
 * After each deleting transaction: takes its measure, tells of it, and lets others write.
 */
export async function breathe(
  { eraser, held, progressed }: CleanupContext,
  size: BatchSize,
  weight: number,
  kind: CleanupKind
): Promise<void> {
  size.measured(weight, eraser.lastHeld)
  held?.(eraser.lastHeld)
  progressed(kind)
  await pause(Math.max(YIELD[eraser.dialect], REST[eraser.dialect] * eraser.lastHeld))
}
