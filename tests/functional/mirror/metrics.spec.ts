import { test } from '@japa/runner'
import { UnrecoverableError } from 'bullmq'
import { Mirror } from '../../../src/mirror/mirror.ts'
import { StreamReader } from '../../../src/mirror/stream_reader.ts'
import type { Records } from '../../../src/records/records.ts'
import type { JobDetails } from '../../../src/types.ts'
import { MirrorProcess } from '../../faults/mirror/victims.ts'
import { eachDatabase, type TestDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab, silent } from './lab.ts'
import { migrate, openRecords } from './records.ts'

const JOBS = 120
const QUEUES = ['a', 'b']

/** Fails so many times at some points of transactions, before and after their end, as if its process had died there. */
function troubled(records: Records, seed: number): void {
  let calls = seed
  records.writer.hook = () => {
    calls += 1
    if (calls < 250 && calls % 7 === 0) throw new Error('killed')
  }
}

/** A mirror that asks nobody for the lead. */
async function mirrorOf(lab: Lab, records: Records, signal: AbortSignal): Promise<() => unknown> {
  const { transport } = lab
  const redis = transport.connections.open('mirror')
  const address = async () => lab.redis.options
  const dependencies = { transport, writer: records.writer, redis, logger: silent }
  const mirror = new Mirror(dependencies, new StreamReader(address), { batch: 25 })
  await waitFor('queues to mirror', () =>
    mirror.watch(QUEUES).then(
      () => mirror.positions.size === QUEUES.length,
      () => false
    )
  )
  const running = mirror.run(signal)
  return () => running
}

function exact(values: number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.max(1, Math.ceil(share * values.length)) - 1]
}

/** What the records themselves tell of all that metrics count. */
function truthOf(jobs: JobDetails[]) {
  const attempts = jobs.flatMap(({ attemptList }) => attemptList)
  const of = (status: string) => jobs.filter((job) => job.status === status)
  const run = attempts
    .filter(({ outcome }) => outcome === 'completed' || outcome === 'failed')
    .map(({ startedAt, finishedAt }) => finishedAt! - startedAt!)
  const wait: number[] = []
  for (const { events } of jobs) {
    let ready = 0
    for (const { kind, at } of events) {
      if (kind === 'added' || kind === 'pending') ready = at
      if (kind === 'running') wait.push(at - ready)
    }
  }
  return {
    counts: {
      added: jobs.length,
      completed: of('completed').length,
      failed: of('failed').length,
      cancelled: of('cancelled').length,
      retried: attempts.filter(({ outcome }) => outcome === 'failed').length - of('failed').length,
    },
    run,
    wait,
  }
}

eachDatabase(({ label, create }) => {
  test.group(`Metrics of mirrors | ${label}`, (group) => {
    let lab: Lab
    let connection: TestDatabase['connection']
    let records: Records
    let second: Records

    group.setup(async () => {
      const { url } = await redisServer()
      const database = await create()
      connection = database.connection
      await migrate(connection)
      lab = new Lab(url)
      records = openRecords(connection)
      second = openRecords(connection)
      return async () => {
        await lab.close()
        await Promise.all([records.close(), second.close()])
        await database.drop()
      }
    })

    test('count exactly what happened: two at once, transactions that break, one that is killed', async ({
      assert,
    }) => {
      const { url } = await redisServer()
      const ids: string[] = []
      for (let job = 0; job < JOBS; job++) {
        const delay = job % 20 === 19 ? { delay: 3_600_000 } : {}
        ids.push(await lab.add(QUEUES[job % 2], { attempts: 2, ...delay }))
      }
      const stopping = new AbortController()
      troubled(records, 0)
      troubled(second, 3)
      const killed = new MirrorProcess({
        redis: url,
        prefix: lab.transport.keys.prefix,
        connection,
        unled: true,
        batch: 25,
        kill: { point: 4, after: 0 },
      })
      const mirrors = [
        await mirrorOf(lab, records, stopping.signal),
        await mirrorOf(lab, second, stopping.signal),
      ]
      for (const queue of QUEUES) {
        lab.worker(
          queue,
          ({ job, attempt }) => {
            const number = ids.indexOf(job.id!)
            if (number % 10 === 3) throw new UnrecoverableError('never')
            if (number % 10 === 5 && attempt === 1) throw new Error('not yet')
            return new Promise((resolve) => setTimeout(resolve, number % 40))
          },
          { concurrency: 4 }
        )
      }
      for (let job = 19; job < JOBS; job += 20) await lab.queue(QUEUES[job % 2]).remove(ids[job])
      const jobs = await waitFor(
        'all jobs to have ended',
        async () => {
          const found = await Promise.all(ids.map((id) => records.reader.find(id)))
          const isOver = found.every((job) => job?.finishedAt && !job.stopping)
          return isOver && (found as JobDetails[])
        },
        { within: 60_000, every: 200 }
      )
      await waitFor(
        'the third mirror to write, or to start too late for it',
        () => !killed.isAlive || killed.messages.includes('ready')
      )
      await killed.kill()
      stopping.abort()
      await Promise.all(mirrors.map((ended) => ended()))

      const truth = truthOf(jobs)
      const now = await lab.transport.time(lab.redis)
      const range = { from: now - 600_000, to: now }
      const { total } = await records.metrics.series(range)
      const { run, wait, ...counts } = total
      assert.deepEqual(counts, truth.counts)
      assert.equal(run!.count, truth.run.length)
      assert.equal(wait!.count, truth.wait.length)
      for (const [told, values] of [
        [run!, truth.run],
        [wait!, truth.wait],
      ] as const) {
        assert.isAtMost(Math.abs(told.p50 - exact(values, 0.5)), 0.02 * exact(values, 0.5))
        assert.isAtMost(Math.abs(told.p95 - exact(values, 0.95)), 0.02 * exact(values, 0.95))
        assert.isAtMost(Math.abs(told.p99 - exact(values, 0.99)), 0.02 * exact(values, 0.99))
      }
      const { points } = await records.metrics.series({ ...range, step: 60_000, queue: 'a' })
      for (const { at, completed } of points) {
        const ended = jobs.filter(
          ({ queue, status, finishedAt }) =>
            queue === 'a' &&
            status === 'completed' &&
            Math.floor(finishedAt! / 60_000) * 60_000 === at
        )
        assert.equal(completed, ended.length)
      }
      const byQueue = await records.metrics.totals('queue', range)
      const sum = QUEUES.reduce((n, queue) => n + byQueue.get(queue)!.completed, 0)
      assert.equal(sum, truth.counts.completed)
    })
  })
})
