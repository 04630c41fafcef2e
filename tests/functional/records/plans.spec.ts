import { test } from '@japa/runner'
import { eachDatabase } from '#tests/helpers/databases'
import { writeSkewedJobs } from '../../../bench/support/skewed_jobs.ts'
import type { Db } from '../../../src/records/dialect/db.ts'
import { DIRECTIONS, JobQuery, SORTS } from '../../../src/records/job_query.ts'
import { Reader } from '../../../src/records/reader.ts'
import { limitsOf } from '../../../src/records/reader/limits.ts'
import { openSession } from '../../../src/records/records.ts'
import { migrate, openRecords } from '../mirror/records.ts'
import { lucidOn } from './lab.ts'

const TYPE = 'document_processing.parse'
const LIMITS = { few: 50, piece: 100, passed: 200, counted: 100, sampled: 100 }

/** Filters, and the index that their newest jobs come from. */
const FILTERS: [params: Record<string, string>, index: string][] = [
  [{}, 'queuedeck_jobs_created'],
  [{ status: 'failed' }, 'queuedeck_jobs_status'],
  [{ type: TYPE }, 'queuedeck_jobs_type'],
  [{ queue: 'default' }, 'queuedeck_jobs_queue'],
  [{ host: 'web-1' }, 'queuedeck_jobs_host'],
  [{ user: '1', queue: 'default' }, 'queuedeck_jobs_user'],
  [{ tag: 'import' }, 'queuedeck_tags_pkey'],
  [{ type: TYPE, from: '2026-11-20' }, 'queuedeck_jobs_type'],
]

/**
 * SQLite, MySQL and MariaDB are told the index by name; PostgreSQL has to choose it, whatever its statistics are.
 */
eachDatabase(
  ({ label, create }) => {
    test.group(`Plans of pages | ${label}`, () => {
      for (const state of ['fresh', 'missing', 'of other data'] as const) {
        test(`go by index when statistics are ${state}`, async ({ assert, cleanup }) => {
          const { connection, drop } = await create()
          await migrate(connection)
          const database = lucidOn(connection)
          const session = await openSession(database)
          await writeSkewedJobs(session, { jobs: 3_000 })
          const jobs = `('queuedeck_jobs'::regclass, 'queuedeck_tags'::regclass)`
          if (state === 'missing')
            await session.run(`delete from pg_statistic where starelid in ${jobs}`)
          if (state === 'of other data') {
            // All jobs of one type, queue and host, as on the first day; then what came later.
            await session.run('create table others as select * from queuedeck_jobs')
            await session.run('delete from queuedeck_jobs where type_id <> 1')
            await session.run('analyze queuedeck_jobs')
            await session.run(
              'insert into queuedeck_jobs select * from others on conflict do nothing'
            )
          }
          await session.close()
          const records = openRecords(connection)
          cleanup(async () => {
            await Promise.all([records.close(), database.manager.closeAll()])
            await drop()
          })

          let plans: string[] = []
          const db: Db = {
            dialect: 'postgres',
            all: async (text, values) => {
              const rows = await records.db.all(`explain ${text}`, values)
              plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
              return records.db.all(text, values)
            },
          }
          const reader = new Reader(db, { ...limitsOf('postgres'), ...LIMITS })
          for (const [params, index] of FILTERS) {
            for (const sort of SORTS) {
              for (const direction of DIRECTIONS) {
                const query = JobQuery.from({ ...params, sort, direction })
                const about = JSON.stringify(query.toParams())
                plans = []
                const { next } = await reader.page(query)
                if (next) await reader.page(query.with({ cursor: next }))
                for (const plan of plans) {
                  assert.notMatch(plan, /(Seq|Heap) Scan on queuedeck_(jobs|tags)/, about)
                }
                if (sort === 'created') {
                  assert.isTrue(
                    plans.some((plan) => plan.includes(`using ${index} `)),
                    `${about}\n${plans.join('\n\n')}`
                  )
                }
              }
            }
          }
        })
      }
    })
  },
  ['pg']
)
