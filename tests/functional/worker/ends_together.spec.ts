import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import { systemClock } from '../../../src/time/long_timer.ts'
import { JobWorker } from '../../../src/worker/job_worker.ts'
import { LEAST, PRESSED } from '../../../src/worker/send_window.ts'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from './lab.ts'

const JOBS = 60
const CONCURRENCY = 40

let gate: PromiseWithResolvers<void>
let waiting = 0

class Waits extends Job<object, void> {
  static options = { name: 'waits' }
  async execute() {
    waiting++
    await gate.promise
  }
}

type Command = { name: string; promise: Promise<unknown> }
type Sending = { sendCommand(command: Command, ...rest: unknown[]): unknown }

const isScript = ({ name }: Command) => /^(fcall|evalsha)$/i.test(name)

test.group('Jobs that end together', (group) => {
  let lab: WorkerLab
  group.each.setup(async () => {
    gate = Promise.withResolvers()
    waiting = 0
    const { url } = await redisServer()
    lab = new WorkerLab(url, [Waits], {}, undefined, {}, { global: null, user: null })
    return () => lab.close()
  })

  const dispatch = (count: number) =>
    Promise.all(Array.from({ length: count }, () => lab.dispatch(Waits)))

  async function start() {
    const pool = await lab.start({ concurrency: CONCURRENCY })
    await waitFor('all slots to be taken', () => waiting === CONCURRENCY)
    return pool
  }

  /** What the worker sends from now on leaves at once for a Redis that hears it only when it is told to. */
  function holdRedis() {
    const client = lab.transport.connections.worker as unknown as Sending
    const send = client.sendCommand.bind(client)
    const held = Promise.withResolvers<void>()
    const calls = { sent: 0, goOn: held.resolve }
    client.sendCommand = (command, ...rest) => {
      if (!isScript(command)) return send(command, ...rest)
      calls.sent++
      void held.promise.then(() => send(command, ...rest))
      return command.promise
    }
    return calls
  }

  const states = (ids: string[]) => Promise.all(ids.map((id) => lab.transport.state('default', id)))

  test('are written some at a time, so that their next ones do not begin together', async ({
    assert,
  }) => {
    /** On a busy machine that takes as long as if they came too fast for small groups. */
    lab.clock = {
      ...systemClock,
      setTimeout: (callback, milliseconds) =>
        milliseconds === PRESSED ? undefined : systemClock.setTimeout(callback, milliseconds),
    }
    const client = lab.transport.connections.worker as unknown as Sending
    const send = client.sendCommand.bind(client)
    let open = 0
    let most = 0
    client.sendCommand = (command, ...rest) => {
      if (isScript(command) && waiting >= CONCURRENCY) {
        most = Math.max(most, ++open)
        command.promise.then(
          () => open--,
          () => open--
        )
      }
      return send(command, ...rest)
    }
    const ids = await dispatch(JOBS)
    await start()
    gate.resolve()
    for (const id of ids) assert.equal((await lab.ended(id)).state, 'completed')
    /** One more: a free slot asks for a job by itself. */
    assert.isAtMost(most, LEAST + 1)
    assert.isAtLeast(most, LEAST)
  })

  test('are all sent when Redis says nothing: what has arrived there is written whatever becomes of their worker', async ({
    assert,
  }) => {
    const ids = await dispatch(CONCURRENCY)
    await start()
    const redis = holdRedis()
    gate.resolve()
    await waitFor('all ends to leave', () => redis.sent === CONCURRENCY)
    redis.goOn()
    for (const id of ids) assert.equal((await lab.ended(id)).state, 'completed')
  })

  test('have ended when their worker stops at once before that could be written, and nothing else began', async ({
    assert,
    cleanup,
  }) => {
    const ids = await dispatch(CONCURRENCY)
    const pool = await start()
    const next = await dispatch(CONCURRENCY)
    const redis = holdRedis()
    const { handBackAll } = JobWorker.prototype
    cleanup(() => void (JobWorker.prototype.handBackAll = handBackAll))
    const stopping = Promise.withResolvers<void>()
    JobWorker.prototype.handBackAll = function (...args) {
      stopping.resolve()
      return handBackAll.call(this, ...args)
    }
    gate.resolve()
    await waitFor('the first ends to be sent', () => redis.sent >= LEAST)
    pool.abort()
    await stopping.promise
    await new Promise((resolve) => setImmediate(resolve))
    redis.goOn()
    const { clean, handedBack } = await pool.ended
    assert.deepEqual([clean, handedBack, lab.warnings], [true, 0, []])
    assert.deepEqual(new Set(await states(ids)), new Set(['completed']))
    assert.deepEqual(new Set(await states(next)), new Set(['waiting']))
    assert.equal(waiting, CONCURRENCY)
  })
})
