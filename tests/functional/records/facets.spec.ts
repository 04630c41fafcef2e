import { test } from '@japa/runner'
import { eachDatabase } from '#tests/helpers/databases'
import { writeSkewedJobs } from '../../../bench/support/skewed_jobs.ts'
import type { Db } from '../../../src/records/dialect/db.ts'
import { JobQuery } from '../../../src/records/job_query.ts'
import { Reader } from '../../../src/records/reader.ts'
import { limitsOf } from '../../../src/records/reader/limits.ts'
import type { FacetName } from '../../../src/records/reader_types.ts'
import { openSession } from '../../../src/records/records.ts'
import { STATUSES } from '../../../src/statuses.ts'
import { migrate, openRecords } from '../mirror/records.ts'
import { lucidOn } from './lab.ts'

const NOW = Date.parse('2026-11-25T00:00:00Z')
const DAY = 86_400_000
const HOUR = 3_600_000
const KINDS = { type: 1, queue: 2, user: 3, host: 4, tag: 6 } as const

/** A job as plain loops count it. */
type Plain = Record<Exclude<FacetName, 'tag'>, string | null> & { tag: string[]; at: number }

async function plainJobs(db: Db): Promise<Plain[]> {
  const names = new Map<number, string>()
  for (const { id, name } of await db.all('select id, name from queuedeck_names'))
    names.set(id, name)
  const tags = new Map<number, string[]>()
  for (const { seq, tag_id: tag } of await db.all('select seq, tag_id from queuedeck_tags'))
    tags.set(Number(seq), [...(tags.get(Number(seq)) ?? []), names.get(tag)!])
  const rows = await db.all(
    'select seq, status, type_id, queue_id, user_id, host_id, created_at from queuedeck_jobs'
  )
  return rows.map((row) => ({
    status: STATUSES[row.status],
    type: names.get(row.type_id)!,
    queue: names.get(row.queue_id)!,
    user: names.get(row.user_id) ?? null,
    host: names.get(row.host_id) ?? null,
    tag: tags.get(Number(row.seq)) ?? [],
    at: Number(row.created_at),
  }))
}

const FILTERS: Partial<Record<FacetName, string | string[]>>[] = [
  {},
  { status: 'failed' },
  { type: 'mail.send' },
  { type: 'mail.send', status: ['failed', 'running'] },
  { queue: ['default', 'seldom'], user: '1' },
  { tag: 'import' },
  { tag: ['import', 'nightly'], type: 'document_processing.parse' },
  { host: 'web-1', queue: 'mail', status: 'completed' },
  { user: '3999' },
]

const fits = (job: Plain, name: FacetName, wanted: string | string[]) =>
  [job[name]].flat().some((value) => [wanted].flat().includes(value as string))

const matching = (jobs: Plain[], filter: (typeof FILTERS)[number], except?: FacetName) =>
  jobs.filter((job) =>
    Object.entries(filter).every(
      ([name, wanted]) => name === except || fits(job, name as FacetName, wanted)
    )
  )

eachDatabase(({ label, create }) => {
  test.group(`Facets and histograms | ${label}`, (group) => {
    let db: Db
    let reader: Reader
    let jobs: Plain[]

    group.setup(async () => {
      const { connection, drop } = await create()
      await migrate(connection)
      const database = lucidOn(connection)
      const session = await openSession(database)
      await writeSkewedJobs(session, { jobs: 4_000, now: NOW, seed: 5 })
      await session.close()
      const records = openRecords(connection)
      db = records.db
      reader = records.reader
      jobs = await plainJobs(db)
      return async () => {
        await Promise.all([records.close(), database.manager.closeAll()])
        await drop()
      }
    })

    test('facets count what would be found, without their own filter', async ({ assert }) => {
      const all = new Reader(db, { ...limitsOf(db.dialect), sampled: 100_000 })
      for (const filter of FILTERS) {
        const facets = await all.facets(JobQuery.from(filter))
        for (const [name, { values, sampled }] of Object.entries(facets)) {
          const about = `${name} of ${JSON.stringify(filter)}`
          assert.isFalse(sampled, about)
          const counts = new Map<string, number>()
          for (const job of matching(jobs, filter, name as FacetName)) {
            for (const value of [job[name as FacetName]].flat())
              if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1)
          }
          const expected = [...counts.values()].sort((one, other) => other - one).slice(0, 30)
          assert.deepEqual(
            values.map(({ count }) => count),
            expected,
            about
          )
          for (const { name: value, count } of values)
            assert.equal(count, counts.get(value), `${value}: ${about}`)
        }
      }
      const none = await reader.facets(JobQuery.from({ type: 'no.such', status: 'failed' }))
      assert.deepEqual(none.status, { values: [], sampled: false })
      assert.isAbove(none.type.values.length, 5)
    })

    test('facets of too many jobs are taken from the newest, and say so', async ({ assert }) => {
      const limits = { ...limitsOf(db.dialect), few: 150, sampled: 150 }
      const query = JobQuery.from({ queue: 'default', host: 'web-1' })
      const { status, tag } = await new Reader(db, limits).facets(query)
      assert.isTrue(status.sampled)
      const most = matching(jobs, { queue: 'default', host: 'web-1' })
      for (const { name, count } of status.values)
        assert.isAtMost(count, most.filter((job) => job.status === name).length)
      assert.isTrue(tag.sampled)
    })

    test('bars hold the jobs of their time, in the filter, whatever their length', async ({
      assert,
    }) => {
      const ranges = [
        { from: NOW - 30 * DAY, to: NOW, bars: 30 },
        { from: NOW - 7 * DAY, to: NOW, bars: 200 },
        { from: NOW - 6 * HOUR, to: NOW, bars: 60 },
        { from: NOW - HOUR, to: NOW, bars: 500 },
        { from: NOW + DAY, to: NOW + 2 * DAY },
      ]
      for (const filter of FILTERS) {
        for (const range of ranges) {
          const histogram = await reader.histogram(JobQuery.from(filter), range)
          const { from, to, step, bars, sampled } = histogram
          const about = JSON.stringify({ filter, range, step })
          assert.isFalse(sampled, about)
          assert.isTrue(from <= range.from && to >= range.to && to - from >= step, about)
          assert.equal(bars.length, (to - from) / step, about)
          assert.isAtMost(bars.length, 501, about)
          const found = matching(jobs, filter)
          const expected = bars.map(({ at }) => {
            const within = found.filter((job) => job.at >= at && job.at < at + step)
            const failed = within.filter(({ status }) => status === 'failed').length
            return { at, total: within.length, failed }
          })
          assert.deepEqual(bars, expected, about)
        }
      }
    })

    test('tiles and counts equal the jobs there are', async ({ assert }) => {
      const counts = await reader.counts()
      for (const status of STATUSES)
        assert.equal(counts[status], matching(jobs, { status }).length, status)
      for (const filter of FILTERS) {
        const count = await reader.count(JobQuery.from(filter))
        assert.deepEqual(count, { value: matching(jobs, filter).length, capped: false })
      }
    })

    test('names complete from those that jobs have', async ({ assert }) => {
      for (const kind of Object.keys(KINDS) as (keyof typeof KINDS)[]) {
        const names = await reader.names(kind, '', 1000)
        const known = new Set(jobs.flatMap((job) => job[kind] ?? []))
        const unknown = [...known].filter((name) => !names.includes(name))
        if (kind !== 'user') assert.deepEqual(unknown, [], kind)
        assert.isAtMost(names.length, 1000)
      }
    })
  })
})
