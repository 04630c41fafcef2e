import { STATUSES, type JobStatus } from '../../statuses.ts'
import { bytes, count, duration, roughDuration } from '../../dashboard/presenters/format.ts'
import type { QueueView } from '../../operations/queue_views.ts'
import { lagOf } from '../../mirror/mirror_status.ts'
import { isSuspect } from '../../transport/worker_times.ts'
import type { JobView, WorkerView } from '../../types.ts'
import { plain } from '../job_output.ts'
import { columnsOf, cutTo, fit } from './columns.ts'
import type { RecordsPart, RedisPart, Snapshot } from './snapshot.ts'

/** Words of the terminal's own palette, so that light and dark ones both can be read; without colours the text as it is. */
export type Style = (
  text: string,
  style: 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan'
) => string

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 }

export const coloured: Style = (text, style) => `\u001b[${CODES[style]}m${text}\u001b[0m`
export const uncoloured: Style = (text) => text

/** What errors say in front of the reason, for whoever asked for something; a line here has no room for it. */
const CONSEQUENCE = /^[\w ]+ cannot be reached, so [^:]*: /

/** Wider lines are hard to follow with the eye. */
const WIDEST = 140

const WIDEST_STATUS = Math.max(...STATUSES.map(({ length }) => length))

type Column<Row> = {
  title: string
  width: number
  /** Numbers stand to the right. */
  end?: boolean
  text: (row: Row) => string
  style?: (row: Row) => Parameters<Style>[1] | null
}

/**
 * The view as lines of at most so many columns, at most as many lines as fit.
 */
export function watchView(
  { prefix, now, redis, records }: Snapshot,
  { columns, rows, style }: { columns: number; rows: number; style: Style }
): string[] {
  const width = Math.max(20, Math.min(columns, WIDEST))
  const time = `${new Date(now).toISOString().slice(11, 19)} UTC`
  const title = cutTo(`Queuedeck ${plain(prefix)}`, width - time.length - 1)
  const head = [
    `${style(fit(title, width - time.length), 'bold')}${time}`,
    ...healthLines({ redis, records, now }, width, style),
    '',
    ...tiles(records, width, style),
    summary(redis.value, records.value, width),
    ...alertLines(records, now, width, style),
  ]
  const left = Math.max(0, rows - head.length - 2)
  const body = sections(redis, records, now, left, width, style)
  const foot = style(cutTo('q quits', width), 'dim')
  return [...head, ...body, '', foot].slice(0, rows)
}

function healthLines(
  { redis, records, now }: Pick<Snapshot, 'redis' | 'records' | 'now'>,
  width: number,
  style: Style
): string[] {
  const mirror = redis.value?.mirror
  const lag = mirror ? lagOf(mirror) : null
  const parts = [
    redis.away ? style('Redis away', 'red') : redis.at === null ? 'Redis ...' : 'Redis up',
    records.away
      ? style('Database away', 'red')
      : records.at === null
        ? 'Database ...'
        : 'Database up',
    ...(redis.value === null || redis.away !== null
      ? []
      : [
          lag === null
            ? style('No mirror runs: records stand still', 'red')
            : `Mirror lag ${duration(lag)}`,
        ]),
  ]
  while (parts.length > 1 && columnsOf(parts.join('   ')) > width) parts.pop()
  const lines = [parts.join('   ')]
  for (const [name, { away, at }] of [
    ['Redis', redis],
    ['Database', records],
  ] as const) {
    if (away === null) continue
    const how = `${name} away for ${roughDuration(now - away.since)}`
    const seen = at === null ? '' : `, shown as of ${new Date(at).toISOString().slice(11, 19)}`
    lines.push(
      style(cutTo(`${how}${seen}: ${plain(away.reason.replace(CONSEQUENCE, ''))}`, width), 'red')
    )
  }
  return lines
}

function tiles({ value, away }: Snapshot['records'], width: number, style: Style): string[] {
  const each = Math.max(WIDEST_STATUS + 1, Math.floor(width / STATUSES.length))
  const abreast = Math.max(1, Math.floor(width / each))
  const number = (status: JobStatus) => {
    const text = fit(value === null ? '-' : count(value.counts[status]), each - 1, true)
    if (away !== null || value === null) return style(text, 'dim')
    const isBad = status === 'failed' && value.counts.failed > 0
    return style(text, isBad ? 'red' : 'bold')
  }
  /** In lines below each other where they do not fit: none is left out, failures least of all. */
  return Array.from({ length: Math.ceil(STATUSES.length / abreast) }, (_, line) => {
    const shown = STATUSES.slice(line * abreast, (line + 1) * abreast)
    return [shown.map((status) => fit(status, each - 1, true)), shown.map(number)]
  }).flatMap((lines) => lines.map((cells) => cells.join(' ')))
}

/** Alerts that are named. */
const NAMED = 3

function alertLines(
  { value, away }: Snapshot['records'],
  now: number,
  width: number,
  style: Style
): string[] {
  const alerts = value?.alerts ?? []
  const lines = alerts
    .slice(0, NAMED)
    .map(({ title, text, openedAt }) =>
      cutTo(`! ${plain(title)} (${roughDuration(now - openedAt)}): ${plain(text)}`, width)
    )
  if (alerts.length > NAMED)
    lines.push(cutTo(`! and ${count(alerts.length - NAMED)} more alerts`, width))
  return lines.map((line) => style(line, away === null ? 'yellow' : 'dim'))
}

function summary(redis: RedisPart | null, records: RecordsPart | null, width: number): string {
  const parts: string[] = []
  if (records?.rate !== null && records !== null) parts.push(`${records.rate.toFixed(1)} ended/s`)
  if (redis !== null) {
    const global = redis.limits.limits.find(({ kind }) => kind === 'global')
    const limit = global?.limit ?? null
    if (global)
      parts.push(`limit ${count(global.running)}/${limit === null ? 'none' : count(limit)}`)
    const slots = redis.workers.reduce((sum, { concurrency }) => sum + concurrency, 0)
    const workers =
      redis.workers.length === 1 ? '1 worker' : `${count(redis.workers.length)} workers`
    parts.push(`${workers}, ${count(slots)} at once`)
    const parked = redis.limits.heldBack.reduce((sum, { jobs }) => sum + jobs, 0)
    if (parked > 0) parts.push(`${count(parked)} held back by limits`)
  }
  return cutTo(parts.join('   '), width)
}

/** Queues, running jobs and workers share the lines that are left; what one does not need the others have. */
function sections(
  redis: Snapshot['redis'],
  records: Snapshot['records'],
  now: number,
  lines: number,
  width: number,
  style: Style
): string[] {
  const queues = [...(redis.value?.queues ?? [])].sort((a, b) => held(b) - held(a))
  const running = records.value?.running ?? []
  const workers = redis.value?.workers ?? []
  const tables = [
    {
      title: 'No queue is known yet',
      rows: queues,
      columns: queueColumns(width, now),
      away: redis.away,
    },
    { title: 'No job runs', rows: running, columns: jobColumns(width, now), away: records.away },
    {
      title: 'No worker is registered',
      rows: workers,
      columns: workerColumns(width),
      away: redis.away,
    },
  ]
  const room = share(
    tables.map(({ rows }) => Math.max(1, rows.length)),
    lines - 2 * tables.length
  )
  return tables.flatMap(({ title, rows, columns, away }, at) => {
    if (room[at] <= 0) return []
    if (rows.length === 0) return ['', style(cutTo(title, width), 'dim')]
    const dim = away === null ? null : ('dim' as const)
    const table = columns as Column<never>[]
    const all = rows as never[]
    const shown = all.slice(0, rows.length > room[at] ? room[at] - 1 : room[at])
    return [
      '',
      style(tableLine(table.map(({ title: name, width: w, end }) => fit(name, w, end))), 'dim'),
      ...shown.map((row) =>
        tableLine(
          table.map(({ text, width: w, end, style: of }) => {
            const cell = fit(text(row), w, end)
            const chosen = dim ?? of?.(row) ?? null
            return chosen === null ? cell : style(cell, chosen)
          })
        )
      ),
      ...(shown.length < rows.length
        ? [style(cutTo(`and ${count(rows.length - shown.length)} more`, width), 'dim')]
        : []),
    ]
  })
}

function held({ depths: { pending, running } }: QueueView): number {
  return pending + running
}

/** Lines for each of several lists: none has more than it needs while another has less. */
export function share(needs: number[], lines: number): number[] {
  const given = needs.map(() => 0)
  let left = Math.max(0, lines)
  while (left > 0 && given.some((have, at) => have < needs[at])) {
    for (let at = 0; at < needs.length && left > 0; at++) {
      if (given[at] >= needs[at]) continue
      given[at]++
      left--
    }
  }
  return given
}

function tableLine(cells: string[]): string {
  return cells.join('  ')
}

/** The first column needs this many; where there is no room the last of the others go. */
const NARROWEST = 12

/** The first column takes what the others leave. */
function withFirst<Row>(width: number, first: Omit<Column<Row>, 'width'>, others: Column<Row>[]) {
  const shown = [...others]
  const used = () => shown.reduce((sum, column) => sum + column.width + 2, 0)
  while (shown.length > 0 && used() > width - NARROWEST) shown.pop()
  return [{ ...first, width: width - used() }, ...shown]
}

function queueColumns(width: number, now: number): Column<QueueView>[] {
  const number = (title: string, of: (queue: QueueView) => number): Column<QueueView> => ({
    title,
    width: 9,
    end: true,
    text: (queue) => count(of(queue)),
  })
  return withFirst(
    width,
    {
      title: 'QUEUE',
      text: ({ name, paused }) => `${paused ? '[paused] ' : ''}${plain(name)}`,
      style: ({ paused }) => (paused ? 'yellow' : null),
    },
    [
      number('PENDING', ({ depths }) => depths.pending),
      number('RUNNING', ({ depths }) => depths.running),
      number('SCHEDULED', ({ depths }) => depths.scheduled),
      {
        title: 'LIMIT',
        width: 7,
        end: true,
        text: ({ limit: { limit, running } }) => (limit === null ? '-' : `${running}/${limit}`),
      },
      {
        title: 'WORKERS',
        width: 7,
        end: true,
        text: ({ workers }) => (workers === 0 ? 'none' : count(workers)),
        style: (queue) => (queue.workers === 0 && held(queue) > 0 ? 'red' : null),
      },
      {
        title: 'OLDEST',
        width: 7,
        end: true,
        text: ({ oldest }) => (oldest === null ? '-' : roughDuration(now - oldest.createdAt)),
      },
    ]
  )
}

const BAR = 8

function jobColumns(width: number, now: number): Column<JobView>[] {
  return withFirst(
    width,
    {
      title: 'RUNNING NOW',
      text: ({ type, queue, progress }) =>
        `${plain(type)} (${plain(queue)})${progress.stage ? ` ${plain(progress.stage)}` : ''}`,
    },
    [
      {
        title: 'PROGRESS',
        width: BAR + 6,
        text: ({ progress: { percent } }) => {
          const done = Math.max(0, Math.min(100, percent))
          const full = Math.round((done / 100) * BAR)
          const bar = '█'.repeat(full) + '░'.repeat(BAR - full)
          return `${bar} ${String(Math.floor(done)).padStart(3)} %`
        },
        style: () => 'cyan',
      },
      { title: 'ID', width: 8, text: ({ id }) => id.slice(-8) },
      {
        title: 'FOR',
        width: 12,
        end: true,
        text: ({ startedAt }) => (startedAt === null ? '-' : duration(now - startedAt)),
      },
    ]
  )
}

function workerColumns(width: number): Column<WorkerView>[] {
  return withFirst(width, { title: 'WORKER', text: ({ host, pid }) => `${plain(host)}:${pid}` }, [
    {
      title: 'STATE',
      width: 8,
      text: (worker) => (isSuspect(worker) ? 'suspect' : worker.state),
      style: (worker) =>
        isSuspect(worker) ? 'red' : worker.state === 'active' ? 'green' : 'yellow',
    },
    {
      title: 'BUSY',
      width: 7,
      end: true,
      text: ({ running, concurrency }) => `${running.length}/${concurrency}`,
    },
    { title: 'CPU', width: 6, end: true, text: ({ cpu }) => `${Math.round(cpu * 100)} %` },
    { title: 'MEMORY', width: 8, end: true, text: ({ memory }) => bytes(memory.used) },
    { title: 'REPORTED', width: 9, end: true, text: ({ age }) => `${roughDuration(age)} ago` },
  ])
}
