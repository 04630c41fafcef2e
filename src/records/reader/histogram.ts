import { statusCode } from '../../statuses.ts'
import type { Db, Row } from '../dialect/db.ts'
import type { Histogram } from '../reader_types.ts'
import { DAY, TIMELINE_STEP } from '../tables.ts'
import { matchesOf, newest } from './counting.ts'
import { Drivers } from './driver.ts'
import { partsOf, type Filter } from './filter.ts'
import type { Limits } from './limits.ts'
import { every, oneOf, run, sql } from './sql.ts'
import { byCreated } from './walk.ts'
import { countWalk } from './walking.ts'

export type HistogramRange = {
  /** Epoch milliseconds; widened to whole bars. */
  from: number
  to: number
  /** Bars wanted; the nearest length that people read well decides how many there are. Default 60. */
  bars?: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const SECONDS = [1, 2, 5, 10, 15, 30].map((count) => count * 1000)
const MINUTES = [1, 2, 5, 10, 15, 20, 30].map((count) => count * MINUTE)
const HOURS = [1, 2, 3, 4, 6, 8, 12].map((count) => count * HOUR)
const DAYS = [1, 2, 5, 7, 14, 30, 90, 365, 3650].map((count) => count * DAY)
const STEPS = [...SECONDS, ...MINUTES, ...HOURS, ...DAYS]

const FAILED = statusCode('failed')
const MOST_BARS = 500

/**
 * Jobs by moment of creation, in bars. From the timeline or the cube where the filter allows it, then exact for any number of
 * jobs; else counted among the newest candidates, which `sampled` says.
 */
export async function readHistogram(
  db: Db,
  filters: readonly Filter[],
  { from, to, bars = 60 }: HistogramRange,
  limits: Limits
): Promise<Histogram> {
  const wanted = (to - from) / Math.max(1, Math.min(MOST_BARS, bars))
  const step = STEPS.find((length) => length >= wanted) ?? STEPS.at(-1)!
  const empty = () => frame(from, to, step)
  if (filters.length === 0) return empty()
  const open = filters.flatMap(partsOf).filter((part) => part !== 'time' && part !== 'status')
  const isPlain = filters.length === 1 && open.length === 0
  const slotted = step % TIMELINE_STEP === 0 ? step : step < TIMELINE_STEP ? TIMELINE_STEP : null
  if (isPlain && slotted) {
    const whole = frame(from, to, step)
    const few =
      step < TIMELINE_STEP &&
      (await countWalk(db, byCreated(), within(filters[0], whole), limits.few + 1)) <= limits.few
    if (!few) return fromTimeline(db, filters[0], frame(from, to, slotted))
  }
  const isCube = filters.length === 1 && open.every((part) => part === 'type' || part === 'queue')
  if (isCube && step % DAY === 0) return fromCube(db, filters[0], frame(from, to, step))
  return fromMatches(db, filters, frame(from, to, step), limits)
}

function frame(from: number, to: number, step: number): Histogram {
  const start = Math.floor(from / step) * step
  const end = Math.max(start + step, Math.ceil(to / step) * step)
  const bars = Array.from({ length: (end - start) / step }, (_, index) => ({
    at: start + index * step,
    total: 0,
    failed: 0,
  }))
  return { from: start, to: end, step, bars, sampled: false }
}

/** The filter in the range of a histogram; its own range of time is what the bars are picked from, so it is left out. */
function within(filter: Filter, { from, to }: Histogram): Filter {
  return { ...filter, from, to }
}

async function fromTimeline(db: Db, filter: Filter, whole: Histogram): Promise<Histogram> {
  const where = every([
    sql('slot >= ? and slot < ?', whole.from / TIMELINE_STEP, whole.to / TIMELINE_STEP),
    oneOf('status', filter.statuses),
  ])
  const rows = await run(db, {
    text: `select slot, status, n from queuedeck_timeline where ${where.text}`,
    values: where.values,
  })
  return filled(whole, rows, ({ slot }) => slot * TIMELINE_STEP)
}

async function fromCube(db: Db, filter: Filter, whole: Histogram): Promise<Histogram> {
  const where = every([
    sql('day >= ? and day < ?', whole.from / DAY, whole.to / DAY),
    oneOf('status', filter.statuses),
    ...(filter.type ? [oneOf('type_id', filter.type)] : []),
    ...(filter.queue ? [oneOf('queue_id', filter.queue)] : []),
  ])
  const rows = await run(db, {
    text: `select day, status, sum(n) as n from queuedeck_cube where ${where.text} group by day, status`,
    values: where.values,
  })
  return filled(whole, rows, ({ day }) => day * DAY)
}

async function fromMatches(
  db: Db,
  filters: readonly Filter[],
  whole: Histogram,
  limits: Limits
): Promise<Histogram> {
  const drivers = await Drivers.load(db, filters, limits)
  // Whole numbers stand in the text: SQLite would divide a bound one as a fraction.
  const bar =
    db.dialect === 'mysql'
      ? `(j.created_at - ${whole.from}) div ${whole.step}`
      : `(j.created_at - ${whole.from}) / ${whole.step}`
  let sampled = false
  let histogram = whole
  for (const filter of filters.map((each) => within(each, whole))) {
    const driver = await drivers.choose(filter)
    if (driver.size === 0) continue
    const stretch = await newest(drivers, driver, limits.sampled, limits.sampled)
    sampled ||= stretch.until !== null
    const matches = matchesOf(db, driver, stretch, `${bar} as bar, j.status`)
    const rows = await run(db, {
      text: `select bar, status, count(*) as n from (${matches.text}) m group by bar, status`,
      values: matches.values,
    })
    histogram = filled(histogram, rows, (row) => whole.from + Number(row.bar) * whole.step)
  }
  return { ...histogram, sampled }
}

function filled(whole: Histogram, rows: Row[], at: (row: Row) => number): Histogram {
  for (const row of rows) {
    const bar = whole.bars[Math.floor((at(row) - whole.from) / whole.step)]
    if (!bar) continue
    bar.total += Number(row.n)
    if (Number(row.status) === FAILED) bar.failed += Number(row.n)
  }
  return whole
}
