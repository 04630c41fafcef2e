import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import { defineSchedule } from '../../../src/jobs/schedule_definition.ts'
import { uuidV7 } from '../../../src/jobs/uuid.ts'
import type { Schedule, ScheduleRun } from '../../../src/schedule_types.ts'
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
  /** Between two moments, when the records know all that has ended: what they do not know is lost with Redis. */
  await waitFor('a quiet moment', async () => {
    await mirrorLab.mirrored()
    const part = Date.now() % 1_000
    return part > 450 && part < 800
  })
  await lab.redis.flushall()
  const emptiedAt = Date.now()
  await more(3)
  const to = Date.now() - 500

  const seen = new Map<string, ScheduleRun[]>()
  for (const { seq, name } of made) {
    const runs = await records.schedules.runs(seq, { from, to, limit: 1_000 })
    seen.set(
      name,
      runs.filter(({ kind }) => kind === 'planned')
    )
    /** Every full second has its run, and none two. */
    const first = Math.ceil(from / 1_000)
    const wanted = Array.from({ length: Math.ceil(to / 1_000) - first }, (_, n) => first + n)
    assert.deepEqual(runs.map(({ due }) => due / 1_000).reverse(), wanted, name)
  }
  const timesOf = (jobId: string | null) => ran.filter(({ id }) => id === jobId).length
  for (const name of ['often', 'behind']) {
    for (const { due, jobId } of seen.get(name)!) {
      await waitFor(`${name} ${due}`, () => timesOf(jobId) > 0, { within: 60_000 })
    }
  }
  for (const name of ['often', 'behind']) {
    for (const { due, jobId } of seen.get(name)!) assert.equal(timesOf(jobId), 1, `${name} ${due}`)
  }
  /** What could not start because an earlier run had not ended was left out, and says so. */
  for (const { due, jobId } of seen.get('long')!) {
    if (ran.some(({ id, at, end }) => id === jobId && at < emptiedAt && end > emptiedAt)) continue
    const record = await waitFor('its end', async () => {
      const [row] = await records.reader.rowsById([jobId!])
      return row && (row.status === 'completed' || row.status === 'cancelled') && row
    })
    const isLeftOut = record.error?.code === 'SCHEDULE_OVERLAP'
    assert.equal(timesOf(jobId), isLeftOut ? 0 : 1, `long ${due}: ${record.status}`)
  }
  /** A Redis that was emptied knows of no run that has not ended. */
  for (const name of ['long', 'behind']) {
    for (const isBefore of [true, false]) {
      const own = ran.filter((entry) => entry.name === name && entry.at < emptiedAt === isBefore)
      own.forEach(({ at }, n) => n > 0 && assert.isAtLeast(at, own[n - 1].end, `${name} overlap`))
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
