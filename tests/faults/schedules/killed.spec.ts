import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import { defineSchedule } from '../../../src/jobs/schedule_definition.ts'
import { uuidV7 } from '../../../src/jobs/uuid.ts'
import type { Schedule } from '../../../src/schedule_types.ts'
import { Planner } from '../../../src/schedules/planner.ts'
import { spawnNode, type AppProcess } from '#tests/helpers/app'
import { createDatabase } from '#tests/helpers/databases'
import { keysLike } from '#tests/helpers/redis_address'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab } from '../../functional/mirror/lab.ts'
import { migrate, openRecords } from '../../functional/mirror/records.ts'
import { WorkerLab } from '../../functional/worker/lab.ts'
import type { ScheduleProcessOptions } from './schedule_process.ts'

/** `SCHEDULE_KILLS` gives another number. */
const KILLS = Number(process.env.SCHEDULE_KILLS ?? 3)

const ran: { id: string; name: string; at: number; end: number }[] = []

class Fire extends Job<{ name: string; ms: number }, void> {
  static options = { name: 'fire', queue: 'fires' }
  async execute() {
    const { name, ms } = this.payload
    const entry = { id: this.jobId, name, at: Date.now(), end: Number.POSITIVE_INFINITY }
    ran.push(entry)
    await pause(ms)
    entry.end = Date.now()
  }
}

test('Schedules fire once at each of their moments while their leaders are killed, Redis starts anew and is emptied', async ({
  assert,
  cleanup,
}) => {
  const redis = await redisServer({
    own: true,
    appendOnly: true,
    settings: { appendfsync: 'always' },
  })
  const { connection } = await createDatabase()
  await migrate(connection)
  const records = openRecords(connection)
  const lab = new WorkerLab(redis.url, [Fire])
  const mirrorLab = new Lab(redis.url, lab.prefix)
  const alive: AppProcess[] = []
  cleanup(async () => {
    await Promise.all(alive.map((child) => child.stop('SIGKILL')))
    await mirrorLab.close()
    await lab.close()
    await records.close()
    await redis.stop()
  })
  await records.ready()
  mirrorLab.mirror(records)
  await lab.start({ queues: ['fires'], concurrency: 20 })

  const made: Schedule[] = []
  for (const [name, overlap, ms] of [
    ['often', 'skip', 0],
    ['long', 'skip', 1_400],
    ['behind', 'queue', 400],
  ] as const) {
    const definition = await defineSchedule(lab.manager, {
      ...{ name, overlap, every: '1s', type: 'fire', payload: { name, ms } },
    })
    const base = { id: uuidV7(), origin: 'page', createdAt: Date.now(), createdBy: 'test' } as const
    await records.schedules.insert({ ...definition, ...base })
    made.push((await records.schedules.named(name))!)
  }

  const options: ScheduleProcessOptions = { redis: redis.url, prefix: lab.prefix, connection }
  const script = 'tests/faults/schedules/schedule_process.ts'
  const spawn = () =>
    alive.push(
      spawnNode(['--import=./bin/typescript.js', script, JSON.stringify(options)], {
        NODE_ENV: 'test',
      })
    )
  const leader = () =>
    waitFor('a leader', async () => {
      const owner = await lab.redis.get(lab.transport.keys.lease('schedules'))
      return alive.find(({ pid }) => owner?.includes(`:${pid}:`)) ?? false
    })
  const fired = (name: string) => ran.filter((entry) => entry.name === name).length
  const more = async (runs: number) => {
    const before = fired('often')
    await waitFor(`${runs} more runs`, () => fired('often') >= before + runs, { within: 60_000 })
  }
  for (let n = 0; n < 2; n++) spawn()
  await more(1)
  const from = Date.now()

  for (let kill = 0; kill < KILLS; kill++) {
    const victim = await leader()
    /** At any moment of its tick. */
    await pause((kill * 37) % 100)
    alive.splice(alive.indexOf(victim), 1)
    await victim.stop('SIGKILL')
    spawn()
    await more(1)
  }
  await redis.halt()
  await redis.start()
  await more(2)
  const timesOf = (jobId: string | null) => ran.filter(({ id }) => id === jobId).length
  /** The runs that were planned between two moments: every full second has its run, and none two. */
  const planned = async ({ seq, name }: Schedule, since: number, to: number) => {
    const first = Math.ceil(since / 1_000)
    const wanted = Array.from({ length: Math.ceil(to / 1_000) - first }, (_, n) => first + n)
    const runs = await waitFor(`the plan of ${name}`, async () => {
      const found = await records.schedules.runs(seq, { from: since, to, limit: 1_000 })
      return found.length >= wanted.length && found
    })
    assert.deepEqual(runs.map(({ due }) => due / 1_000).reverse(), wanted, name)
    return runs.filter(({ kind }) => kind === 'planned')
  }
  const to = Date.now() - 500
  for (const schedule of made) {
    const { name } = schedule
    for (const { due, jobId } of await planned(schedule, from, to)) {
      const record = await waitFor(`the end of ${name} ${due}`, async () => {
        const [row] = await records.reader.rowsById([jobId!])
        return row && (row.status === 'completed' || row.status === 'cancelled') && row
      })
      /** What could not start because an earlier run had not ended was left out where its schedule says so, and tells. */
      const isLeftOut = name !== 'behind' && record.error?.code === 'SCHEDULE_OVERLAP'
      assert.equal(timesOf(jobId), isLeftOut ? 0 : 1, `${name} ${due}: ${record.status}`)
    }
    if (name === 'often') continue
    const own = ran.filter((entry) => entry.name === name)
    own.forEach(({ at }, n) => n > 0 && assert.isAtLeast(at, own[n - 1].end, `${name} overlap`))
  }

  /** A Redis that was emptied knows neither of runs that wait nor of those under way. What comes next it is told again. */
  await lab.redis.flushall()
  const emptiedAt = Date.now()
  await more(3)
  for (const schedule of made) {
    for (const { due, jobId } of await planned(schedule, emptiedAt, Date.now() - 500)) {
      assert.isAtMost(timesOf(jobId), 1, `${schedule.name} ${due}`)
    }
  }
}).timeout(300_000)

test('A run whose moment passed between the loss of Redis and the next look is made again, once', async ({
  assert,
  cleanup,
}) => {
  const { connection } = await createDatabase()
  await migrate(connection)
  const records = openRecords(connection)
  const lab = new WorkerLab((await redisServer()).url, [Fire])
  cleanup(async () => {
    await lab.close()
    await records.close()
  })
  await records.ready()
  const planner = new Planner({ transport: lab.transport, records, queue: lab.manager })
  const definition = await defineSchedule(lab.manager, {
    ...{ name: 'lost', every: '1h', type: 'fire', payload: { name: 'lost', ms: 0 } },
  })
  const base = { id: uuidV7(), origin: 'page', createdAt: 1, createdBy: 'test' } as const
  await records.schedules.insert({ ...definition, ...base })
  const hour = 3_600_000
  const due = (Math.floor(Date.now() / hour) + 1) * hour
  await planner.plan([(await records.schedules.named('lost'))!], due - 1_000)
  const schedule = (await records.schedules.named('lost'))!
  const [{ jobId }] = await records.schedules.runs(schedule.seq, { limit: 1 })
  const all = new Map([[schedule.seq, schedule]])
  assert.equal(await planner.ensurePassed(all, due + 500), 0)
  for (const key of await keysLike(lab.redis, `${lab.prefix}*`)) await lab.redis.del(key)
  assert.equal(await planner.ensurePassed(all, due - 1), 0, 'not yet')
  assert.equal(await planner.ensurePassed(all, due + 500), 1)
  assert.equal(await lab.transport.state('fires', jobId!), 'delayed')
  assert.equal(await planner.ensurePassed(all, due + 500), 0)
})
