import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import { systemClock } from '../../../src/time/long_timer.ts'
import { JobWorker } from '../../../src/worker/job_worker.ts'
import { LEAST } from '../../../src/worker/send_window.ts'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from './lab.ts'

const JOBS = 60
const CONCURRENCY = 40

let gate: PromiseWithResolvers<void>
let waiting = 0
let stopped: number | undefined

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
    /** It stands still while jobs end: on a busy machine that takes as long as if they came too fast for small groups. */
    lab.clock = { ...systemClock, now: () => stopped ?? systemClock.now() }
    stopped = undefined
    return () => lab.close()
  })

  test('are written some at a time, so that their next ones do not begin together', async ({
    assert,
  }) => {
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
    const ids = await Promise.all(Array.from({ length: JOBS }, () => lab.dispatch(Waits)))
    await lab.start({ concurrency: CONCURRENCY })
    await waitFor('all slots to be taken', () => waiting === CONCURRENCY)
    stopped = systemClock.now()
    gate.resolve()
    for (const id of ids) assert.equal((await lab.ended(id)).state, 'completed')
    /** One more: a free slot asks for a job by itself. */
    assert.isAtMost(most, LEAST + 1)
    assert.isAtLeast(most, LEAST)
  })

  test('have ended when their worker stops at once before that could be written', async ({
    assert,
    cleanup,
  }) => {
    const ids = await Promise.all(Array.from({ length: CONCURRENCY }, () => lab.dispatch(Waits)))
    const pool = await lab.start({ concurrency: CONCURRENCY })
    await waitFor('all slots to be taken', () => waiting === CONCURRENCY)
    const client = lab.transport.connections.worker as unknown as Sending
    const send = client.sendCommand.bind(client)
    const late = Promise.withResolvers<void>()
    let sent = 0
    client.sendCommand = (command, ...rest) => {
      if (!isScript(command)) return send(command, ...rest)
      sent++
      void late.promise.then(() => send(command, ...rest))
      return command.promise
    }
    const { handBackAll } = JobWorker.prototype
    cleanup(() => void (JobWorker.prototype.handBackAll = handBackAll))
    const stopping = Promise.withResolvers<void>()
    JobWorker.prototype.handBackAll = function () {
      stopping.resolve()
      return handBackAll.call(this)
    }
    gate.resolve()
    await waitFor('the first ends to be sent', () => sent >= LEAST)
    pool.abort()
    await stopping.promise
    await new Promise((resolve) => setImmediate(resolve))
    late.resolve()
    await pool.ended
    for (const id of ids) assert.equal(await lab.transport.state('default', id), 'completed')
  })
})
