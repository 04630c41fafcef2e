import { setTimeout as pause } from 'node:timers/promises'
import type { Db } from '../dialect/db.ts'
import type { Session, Shape } from '../dialect/session.ts'
import { NAME_KINDS, TABLES } from '../tables.ts'
import type { NameBook } from '../writer/name_book.ts'
import { Cells } from './cells.ts'
import type { HostSample } from './metric_types.ts'
import { METRIC_COLUMNS, METRICS_REPLACED, openHours } from './metric_writing.ts'
import { HOUR, MINUTE, MINUTES_PER_HOUR, sealedUntil } from './span.ts'

const HOURS: Shape = {
  table: TABLES.metricHours,
  columns: TABLES.metricHours.columns,
  existing: METRICS_REPLACED,
}

const HOST_SUMS = {
  samples: 'add',
  cpu: 'add',
  cpu_most: 'most',
  memory: 'add',
  memory_most: 'most',
  memory_limit: 'replace',
} as const

const HOST_MINUTES: Shape = {
  table: TABLES.hostMinutes,
  columns: TABLES.hostMinutes.columns,
  existing: HOST_SUMS,
}

const HOST_HOURS: Shape = {
  table: TABLES.hostHours,
  columns: TABLES.hostHours.columns,
  existing: {
    samples: 'replace',
    cpu: 'replace',
    cpu_most: 'replace',
    memory: 'replace',
    memory_most: 'replace',
    memory_limit: 'replace',
  },
}

/** What comes on top of an hour whose minutes have been deleted. */
const LATE_HOSTS: Shape = { ...HOST_HOURS, existing: HOST_SUMS }

/** A host that never ran a job has no counts: this one lets the cleanup find its name. */
const HOST_COUNTS: Shape = {
  table: TABLES.counters,
  columns: TABLES.counters.columns,
  existing: 'ignore',
}

/** Rows of hours that one transaction writes. */
const PIECE = 500

/** What the keeper needs of the writer of records: transactions under the lock that all of them share. */
export type Upkeep = {
  upkeep<T>(action: (session: Session, names: NameBook) => Promise<T>): Promise<T>
}

/**
 * Keeps metrics beside the mirror: samples of hosts, and sums of hours. For the mirror's leader; several at once do no harm.
 */
export class MetricsKeeper {
  /** For tests that kill: called inside of each transaction, in front of its commit. */
  hook?: () => void

  constructor(
    private db: Db,
    private writer: Upkeep
  ) {}

  /**
   * Notes what hosts use now.
   *
   * @param at  Epoch ms by Redis' clock.
   */
  async sample(samples: readonly HostSample[], at: number): Promise<void> {
    if (samples.length === 0) return
    const slot = Math.floor(at / MINUTE)
    await this.writer.upkeep(async (session, names) => {
      await names.loadNames(session, new Map([['host', new Set(samples.map(({ host }) => host))]]))
      const rows = samples.map(({ host, cpu, memory }) => {
        const thousandths = Math.round(cpu * 1_000)
        const { used, limit } = memory
        return [names.id('host', host), slot, 1, thousandths, thousandths, used, used, limit]
      })
      rows.sort(([one], [other]) => one - other)
      await session.put(HOST_MINUTES, rows)
      await session.put(
        HOST_COUNTS,
        rows.map(([id]) => [NAME_KINDS.host, id, 0, 0])
      )
      await openHours(session, [slot])
    })
  }

  /**
   * Sums up every hour that is over and whose minutes have changed since its sum was made. Killed at any instant, it has done an hour or
   * not: its minutes count until its sum stands.
   *
   * @param now  Epoch ms by Redis' clock.
   * @returns how many hours were summed up
   */
  async sumUp(now: number, signal?: AbortSignal): Promise<number> {
    const current = Math.floor(now / HOUR)
    const rows = await this.db.all(
      'select hour, changes from queuedeck_metrics_open where hour < ? order by hour',
      [current]
    )
    let done = 0
    for (const { hour, changes } of rows) {
      if (signal?.aborted) break
      if (await this.#sumUp(Number(hour), Number(changes))) done++
    }
    return done
  }

  /** False when a minute changed meanwhile: the next time finds the hour again. */
  async #sumUp(hour: number, changes: number): Promise<boolean> {
    const cells = new Cells()
    const first = hour * MINUTES_PER_HOUR
    const end = first + MINUTES_PER_HOUR
    for (let slot = first; slot < end; slot++) {
      const rows = await this.db.all(
        `select ${METRIC_COLUMNS} from queuedeck_metrics_minute where slot = ?`,
        [slot]
      )
      for (const row of rows) cells.at(row.queue_id, row.type_id, row.host_id, hour).addRow(row)
      // SQLite answers in this thread.
      if (rows.length > 0) await pause(1)
    }
    const hosts = await this.#hosts(first, end)
    const entries = [...cells.entries()]
    /** Pieces replace what stands there, so the sum counts only once the last of them is written and the hour is closed. */
    const isLast = (at: number) => at + PIECE >= entries.length
    for (let at = 0; ; at += PIECE) {
      const isUnchanged = await this.writer.upkeep(async (session) => {
        const [open] = await session.all(
          `select changes from queuedeck_metrics_open where hour = ?${session.lock}`,
          [hour]
        )
        if (Number(open?.changes) !== changes) return false
        if (hour < (await sealedUntil(session))) {
          await this.#addLate(session, hour, cells, hosts)
        } else {
          const rows = entries.slice(at, at + PIECE).map(([key, cell]) => cell.toRow(key))
          if (rows.length > 0) await session.put(HOURS, rows)
          if (!isLast(at)) return true
          if (hosts.length > 0) await session.put(HOST_HOURS, hosts)
        }
        await session.run('delete from queuedeck_metrics_open where hour = ?', [hour])
        this.hook?.()
        return true
      })
      if (!isUnchanged || isLast(at)) return isUnchanged
    }
  }

  async #hosts(first: number, end: number): Promise<unknown[][]> {
    const rows = await this.db.all(
      `select host_id, sum(samples) as samples, sum(cpu) as cpu, max(cpu_most) as cpu_most, sum(memory) as memory, max(memory_most) as memory_most, max(memory_limit) as memory_limit from queuedeck_hosts_minute where slot >= ? and slot < ? group by host_id order by host_id`,
      [first, end]
    )
    const hour = first / MINUTES_PER_HOUR
    return rows.map((row) => [
      row.host_id,
      hour,
      ...['samples', 'cpu', 'cpu_most', 'memory', 'memory_most', 'memory_limit'].map((name) =>
        Number(row[name])
      ),
    ])
  }

  /**
   * The minutes of this hour have been deleted, and then the mirror wrote more of them: these come on top, and go at once.
   */
  async #addLate(session: Session, hour: number, cells: Cells, hosts: unknown[][]): Promise<void> {
    for (const row of await session.all(
      `select ${METRIC_COLUMNS} from queuedeck_metrics_hour where slot = ?`,
      [hour]
    )) {
      cells.at(row.queue_id, row.type_id, row.host_id, hour).addRow(row)
    }
    const rows = [...cells.entries()].map(([key, cell]) => cell.toRow(key))
    if (rows.length > 0) await session.put(HOURS, rows)
    if (hosts.length > 0) await session.put(LATE_HOSTS, hosts)
    const first = hour * MINUTES_PER_HOUR
    for (const table of ['metrics', 'hosts']) {
      await session.run(`delete from queuedeck_${table}_minute where slot >= ? and slot < ?`, [
        first,
        first + MINUTES_PER_HOUR,
      ])
    }
  }
}
