import type { Db } from '../dialect/db.ts'
import type { NameReader } from '../reader/name_reader.ts'
import { every, oneOf, run, sql, type Sql } from '../reader/sql.ts'
import {
  HOUR,
  MINUTE,
  MINUTES_PER_HOUR,
  slotsOf,
  unsummedHours,
  type SlotRange,
  type Span,
} from './span.ts'

/** Shares of all cores of a host and bytes, as all its workers together used them: mean and highest of the samples. */
export type HostPoint = {
  at: number
  samples: number
  cpu: { mean: number; most: number }
  memory: { mean: number; most: number; limit: number }
}

/** Only steps in which the host reported. */
export type HostSeries = HostPoint[]

/** The points of one host, and the range that they were read for. */
export type HostUsage = Span & { points: HostSeries }

type Sums = {
  samples: number
  cpu: number
  cpuMost: number
  memory: number
  memoryMost: number
  limit: number
}

/**
 * Hosts with what they used, oldest first. `ids`: only these hosts; null for all.
 */
export async function readHosts(
  db: Db,
  names: NameReader,
  span: Span,
  ids: number[] | null
): Promise<Map<string, HostSeries>> {
  const where = ids === null ? sql('host_id > 0') : oneOf('host_id', ids)
  const hosts = new Map<number, Map<number, Sums>>()
  const take = async (
    unit: 'minute' | 'hour',
    slots: SlotRange,
    isLeftOut = (_: number) => false
  ) => {
    for (const row of await read(db, unit, where, slots)) {
      if (isLeftOut(row.slot)) continue
      const moment = row.slot * (unit === 'minute' ? MINUTE : HOUR)
      const at = span.from + Math.floor((moment - span.from) / span.step) * span.step
      const points = hosts.get(row.host_id) ?? new Map<number, Sums>()
      hosts.set(row.host_id, points)
      points.set(at, added(points.get(at), row))
    }
  }
  if (span.unit === 'minute') await take('minute', slotsOf(span, MINUTE))
  else {
    const hours = slotsOf(span, HOUR)
    const unsummed = await unsummedHours(db, hours)
    await take('hour', hours, (hour) => unsummed.replaced.has(hour))
    for (const hour of unsummed.hours) {
      await take('minute', {
        first: hour * MINUTES_PER_HOUR,
        end: (hour + 1) * MINUTES_PER_HOUR,
      })
    }
  }
  await names.load(hosts.keys())
  return new Map(
    [...hosts].map(([id, points]) => [
      names.text(id),
      [...points].sort(([one], [other]) => one - other).map(([at, sums]) => pointOf(at, sums)),
    ])
  )
}

function read(db: Db, unit: 'minute' | 'hour', where: Sql, { first, end }: SlotRange) {
  const found = every([where, sql('slot >= ? and slot < ?', first, end)])
  return run(db, {
    text: `select host_id, slot, samples, cpu, cpu_most, memory, memory_most, memory_limit from queuedeck_hosts_${unit} where ${found.text}`,
    values: found.values,
  })
}

function added(before: Sums | undefined, row: Record<string, any>): Sums {
  return {
    samples: (before?.samples ?? 0) + Number(row.samples),
    cpu: (before?.cpu ?? 0) + Number(row.cpu),
    cpuMost: Math.max(before?.cpuMost ?? 0, Number(row.cpu_most)),
    memory: (before?.memory ?? 0) + Number(row.memory),
    memoryMost: Math.max(before?.memoryMost ?? 0, Number(row.memory_most)),
    limit: Number(row.memory_limit),
  }
}

function pointOf(at: number, sums: Sums): HostPoint {
  const { samples, cpu, cpuMost, memory, memoryMost, limit } = sums
  return {
    at,
    samples,
    cpu: { mean: cpu / samples / 1_000, most: cpuMost / 1_000 },
    memory: { mean: Math.round(memory / samples), most: memoryMost, limit },
  }
}
