import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { redisServer } from '#tests/helpers/servers'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { add, startProcess } from './processes.ts'

const JOBS = 500
const ENDINGS = new Set(['completed', 'failed', 'cancelled'])

test.group('Cancelling around the end of jobs', () => {
  test('gives 500 short jobs exactly one ending each, and the answer equals it', async ({
    assert,
  }) => {
    const { url } = await redisServer()
    const lab = new WorkerLab(url)
    const worker = await startProcess(lab, { settings: { concurrency: 20 } })

    /** A job runs for about 10 ms; its cancellation comes anywhere between its dispatch and some time after its end. */
    const one = async (n: number) => {
      const id = await add(lab, 'short', { ms: 10, deaf: n % 2 === 0 })
      await pause((n * 7) % 30)
      const { outcome } = await lab.transport.cancel('default', id, { by: 'test', reason: 'show' })
      return { id, outcome }
    }
    const answers: { id: string; outcome: string }[] = []
    let next = 0
    const asking = async () => {
      while (next < JOBS) answers.push(await one(next++))
    }
    await Promise.all(Array.from({ length: 20 }, asking))
    for (const { id } of answers) await lab.ended(id)

    const entries = await lab.entriesOf()
    const wrong: object[] = []
    for (const { id, outcome } of answers) {
      const endings = entries.filter(({ jobId, event }) => jobId === id && ENDINGS.has(event))
      const isCancelled = endings.map(
        ({ event, cancelled }) => event === 'cancelled' || cancelled === '1'
      )
      const expected = outcome !== 'too_late'
      if (endings.length !== 1 || isCancelled[0] !== expected) wrong.push({ id, outcome, endings })
      const { returnvalue } = await lab.job(id)
      if ((returnvalue === undefined) !== expected) wrong.push({ id, outcome, returnvalue })
    }
    assert.deepEqual(wrong, [])
    const kinds = new Set(answers.map(({ outcome }) => outcome))
    assert.isTrue(kinds.has('requested') && kinds.has('too_late'), [...kinds].join())

    const { code } = await worker.stop()
    assert.equal(code, 0)
    assert.notInclude(worker.output(), 'unhandled')
    await lab.close()
  }).timeout(60_000)
})
