import { readFile } from 'node:fs/promises'
import { test } from '@japa/runner'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { hurriedClock } from './hurried_clock.ts'
import { Isolated, isolationOf } from './isolated_jobs.ts'
import { WorkerLab } from './lab.ts'

type Payload = Parameters<typeof Isolated.dispatch>[0]

/** A lease so short that a blocked event loop would lose it. */
const worker = { lease: '2s', grace: '500ms' }

const BY = { by: 'ann', reason: 'not needed' }

test.group('Isolated jobs', (group) => {
  let lab: WorkerLab
  let fresh: () => Promise<WorkerLab>

  group.setup(async () => {
    const { url } = await redisServer()
    fresh = async () => {
      const made = new WorkerLab(url, [Isolated], worker)
      made.isolation = isolationOf(made)
      return made
    }
    lab = await fresh()
    await lab.start({ concurrency: 2 })
    return () => lab.close()
  })

  const dispatch = (payload: Payload, options: object = {}) =>
    lab.dispatch(Isolated, payload, options)
  const ended = async (payload: Payload, options: object = {}) =>
    lab.ended(await dispatch(payload, options))

  /** What the `failed` hook of a job was told, and where it ran. */
  const hook = (queue: string) =>
    waitFor('the failed() hook', async () => {
      const [entry] = await lab.entriesOf(queue)
      return entry && JSON.parse(JSON.parse(entry.data).hook)
    })

  test('run in a process of their own, which the next job uses again', async ({ assert }) => {
    const first = await ended({ does: 'tell' })
    assert.equal(first.state, 'completed')
    const { pid, ...rest } = JSON.parse(first.returnvalue)
    assert.deepEqual(rest, { payload: { does: 'tell' }, attempt: 1, run: 1 })
    assert.notEqual(pid, process.pid)
    const second = await ended({ does: 'tell' })
    assert.equal(JSON.parse(second.returnvalue).pid, pid)

    const events = await lab.entriesOf()
    const progress = events.filter(({ event }) => event === 'progress')
    assert.deepEqual(JSON.parse(progress[0].data), { percent: 40, stage: 'Telling' })
    const { lines } = events.find(({ event }) => event === 'log')!
    assert.deepEqual(
      JSON.parse(lines).map(([, ...line]: unknown[]) => line),
      [[40, 'line of attempt 1']]
    )
    const dispatched = await ended({ does: 'dispatch' })
    assert.equal((await lab.ended(JSON.parse(dispatched.returnvalue))).state, 'completed')
  })

  test('go on at their checkpoints, when their processes died', async ({ assert }) => {
    const options = { attempts: 3, backoff: { type: 'fixed', delay: 1 } }
    const job = await ended({ does: 'remember' }, options)
    assert.deepEqual(JSON.parse(job.returnvalue), {
      seen: [1, 2, 3],
      refused: 'E_CHECKPOINT_REFUSED',
    })
  }).timeout(120_000)

  test('may keep the CPU busy for longer than the lease', async ({ assert }) => {
    const id = await dispatch({ does: 'spin', ms: 4_500 })
    await lab.running(id)
    const job = await lab.ended(id)
    assert.deepEqual([job.state, job.ats], ['completed', '1'])
    assert.notEqual(Number(job.returnvalue), process.pid)
  })

  test('end as cancelled, by their signal or by the end of their process', async ({ assert }) => {
    const obedient = await dispatch({ does: 'obey' })
    await lab.running(obedient)
    await lab.transport.cancel('default', obedient, BY)
    assert.match((await lab.ended(obedient)).failedReason, /^\[CANCELLED\] not/)

    const deaf = await dispatch({ does: 'spin', ms: 30_000 })
    await spinning(lab, deaf)
    const asked = performance.now()
    await lab.transport.cancel('default', deaf, BY)
    const job = await lab.ended(deaf, 'default', 20_000)
    assert.isAtLeast(performance.now() - asked, 400)
    assert.match(job.failedReason, /^\[CANCELLED\] not needed/)
    assert.deepEqual(JSON.parse((await ended({ does: 'tell' })).returnvalue).attempt, 1)
  })

  test('fail as TIMED_OUT when they take too long, and their hook hears of it', async ({
    assert,
  }) => {
    const job = await ended({ does: 'spin', ms: 30_000, hook: 'timed-out' }, { timeout: 300 })
    assert.match(job.failedReason, /^\[TIMED_OUT\] /)
    const told = await hook('timed-out')
    assert.containsSubset(told, { ran: false, code: 'TIMED_OUT' })
    assert.notEqual(told.pid, process.pid)
  })

  test('end with their process when their hook does not return', async ({ assert, cleanup }) => {
    const other = await fresh()
    cleanup(() => other.close())
    other.clock = hurriedClock(90_000)
    await other.start({ concurrency: 1 })
    await other.dispatch(Isolated, { does: 'throw', hook: 'for ever' })
    const job = await other.ended(await other.dispatch(Isolated, { does: 'tell' }))
    assert.equal(job.state, 'completed')
    assert.isTrue(
      other.warnings.some((line) => /has not returned within 90000 ms; its process/.test(line))
    )
  })

  test('fail with whatever they threw, and their hook finds the instance that ran', async ({
    assert,
  }) => {
    const job = await ended({ does: 'throw', hook: 'threw' })
    assert.equal(job.failedReason, '[E_THERE] went wrong there')
    assert.include(job.stacktrace, 'isolated_jobs.ts')
    assert.containsSubset(await hook('threw'), {
      ran: true,
      message: 'went wrong there',
      code: 'E_THERE',
    })
    const nothing = await ended({ does: 'throwNull' })
    assert.equal(nothing.failedReason, 'The job threw null instead of an error')
    const map = await ended({ does: 'map' })
    assert.match(map.failedReason, /^\[RESULT_NOT_SERIALISABLE\] /)
    const retried = await ended(
      { does: 'throw' },
      { attempts: 2, backoff: { type: 'fixed', delay: 10 } }
    )
    assert.deepEqual([retried.state, retried.ats], ['failed', '2'])
  })

  test('fail as PROCESS_DIED when their process ends, and the worker goes on', async ({
    assert,
  }) => {
    const cases = {
      exit: /^\[PROCESS_DIED\] .*exit code 3/,
      kill: /^\[PROCESS_DIED\] .*signal SIGKILL/,
      uncaught: /^\[PROCESS_DIED\] .*nobody caught this/,
    } as const
    const ends = await Promise.all(
      Object.entries(cases).map(async ([does, expected]) => ({
        expected,
        job: await ended({ does: does as 'exit', hook: `died-${does}` }),
      }))
    )
    for (const { job, expected } of ends) assert.match(job.failedReason, expected)
    const told = await hook('died-exit')
    assert.deepInclude(told, { ran: false, code: 'PROCESS_DIED' })
    assert.match(told.message, /^Its process ended/)
    assert.equal((await ended({ does: 'tell' })).state, 'completed')
  })

  test('may write into the channel of their process, and return much', async ({ assert }) => {
    const noise = await ended({ does: 'noise' })
    assert.deepEqual([noise.state, noise.returnvalue], ['completed', '"quiet again"'])
    assert.lengthOf(JSON.parse((await ended({ does: 'large' })).returnvalue), 8_000_000)
  })

  test('may report, log and throw far too much', async ({ assert }) => {
    const before = (await lab.entriesOf()).length
    const job = await ended({ does: 'much' })
    assert.match(job.failedReason, /^e{8000}/)
    assert.isBelow(job.failedReason.length, 9_000)
    const entries = (await lab.entriesOf()).slice(before)
    const progress = entries.filter(({ event }) => event === 'progress')
    assert.equal(JSON.parse(progress.at(-1)!.data).percent, 100)
    assert.isBelow(progress.length, 100)
    const lines = entries.flatMap(({ event, lines: text }) =>
      event === 'log' ? JSON.parse(text) : []
    )
    assert.lengthOf(lines, 1_000)
    assert.isTrue(lines.every(([, , line]: string[]) => line.length < 8_300))
    assert.equal((await ended({ does: 'tell' })).state, 'completed')
  })

  test('hold their place until their process has ended', async ({ assert }) => {
    const other = new WorkerLab(lab.url, [Isolated], worker, undefined, {}, { global: 1 })
    other.isolation = isolationOf(other)
    await other.start()
    /** Cancelled while the application boots for it: nobody waits for that. */
    const early = await other.dispatch(Isolated, { does: 'tell' })
    await other.running(early)
    await other.transport.cancel('default', early, BY)
    assert.match((await other.ended(early, 'default', 1_000)).failedReason, /^\[CANCELLED\]/)
    const deaf = await other.dispatch(Isolated, { does: 'spin', ms: 60_000 })
    await spinning(other, deaf)
    const second = await other.dispatch(Isolated, { does: 'tell' })
    await other.transport.cancel('default', deaf, BY)
    const first = await other.ended(deaf)
    const next = await other.ended(second)
    assert.isAtLeast(Number(next.processedOn), Number(first.finishedOn))
    assert.includeMembers(await other.entries(deaf), ['cancel-requested', 'signal-ignored'])
    await other.close()
  })

  test('are killed and handed back when their worker has waited long enough', async ({
    assert,
  }) => {
    const other = await fresh()
    const pool = await other.start()
    const id = await other.dispatch(Isolated, { does: 'spin', ms: 60_000 })
    await spinning(other, id)
    pool.drain()
    const ending = await pool.ended
    assert.deepEqual([ending.clean, ending.handedBack], [true, 1])
    assert.equal(await other.transport.state('default', id), 'waiting')
    await other.close()
  })

  test('are handed back when what stops their worker ends their process too, while that boots', async ({
    assert,
  }) => {
    const children = async () => {
      const text = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
      return text.trim().split(' ')
    }
    const before = await children()
    const other = await fresh()
    const pool = await other.start()
    const id = await other.dispatch(Isolated, { does: 'tell' })
    const started = await waitFor('its process', async () =>
      (await children()).find((pid) => !before.includes(pid))
    )
    pool.drain()
    process.kill(Number(started), 'SIGTERM')
    await pool.ended
    assert.equal(await other.transport.state('default', id), 'waiting')
    await other.close()
  }).skip(process.platform !== 'linux', 'Children are looked up in /proc')

  test('fail clearly where no process can be started for them', async ({ assert }) => {
    const other = await fresh()
    other.isolation = { file: '/nowhere/ace.js' }
    await other.start()
    const job = await other.ended(await other.dispatch(Isolated, { does: 'tell' }))
    assert.match(job.failedReason, /^\[PROCESS_DIED\] .*before it was ready/)
    await other.close()
    const without = await fresh()
    without.isolation = undefined
    await without.start()
    const failed = await without.ended(await without.dispatch(Isolated, { does: 'tell' }))
    assert.match(failed.failedReason, /^\[ISOLATION_MISSING\] /)
    await without.close()
  })
})

function spinning(lab: WorkerLab, id: string): Promise<unknown> {
  return waitFor('its code to run', async () => (await lab.entries(id)).includes('progress'))
}
