import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { redisServer } from '#tests/helpers/servers'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { add, startProcess } from './processes.ts'

/** The show is 2,000. */
const JOBS = Number(process.env.QUEUEDECK_CANCELS_JOBS ?? 300)
const ENDINGS = new Set(['completed', 'failed', 'cancelled'])

/** What was asked of one job, and what Redis answered. */
type Answer = { asked: 'cancel' | 'restart'; outcome: string; run: number }

/** A generator of numbers below 1 that gives the same in each run of the test. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}

test.group('Cancels, restarts and natural ends', (group) => {
  let lab: WorkerLab
  group.each.setup(async () => {
    lab = new WorkerLab((await redisServer()).url)
    return () => lab.close()
  })

  /**
   * A job runs for about 10 ms and completes, fails or obeys its signal. Two callers cancel and restart it meanwhile, at any moment between
   * its dispatch and some time after its end.
   */
  async function one(n: number): Promise<{ id: string; answers: Answer[] }> {
    const random = numbers(n + 1)
    const payload = { ms: 10, deaf: n % 2 === 0, fails: n % 3 === 0 }
    const id = await add(lab, 'short', payload)
    const answers: Answer[] = []
    let run = 1
    const caller = async () => {
      for (let turn = 0; turn < 3; turn++) {
        await pause(random() * 40)
        const asked = random() < 0.5 ? 'cancel' : 'restart'
        const by = { by: 'test', reason: 'show' }
        const answer =
          asked === 'cancel'
            ? await lab.transport.cancel('default', id, by)
            : await lab.transport.restart('default', id, { by: 'test', run: run + 1, job: job(id) })
        run = Math.max(run, answer.run)
        answers.push({ asked, ...answer })
      }
    }
    await Promise.all([caller(), caller()])
    return { id, answers }
  }

  const job = (id: string) => ({
    queue: 'default',
    id,
    name: 'short',
    data: '{}',
    opts: { timestamp: Date.now() },
  })

  /** What the stream says of each run of a job: its endings, in order. */
  function runsOf(entries: Record<string, string>[]) {
    const runs = [{ run: 1, endings: [] as Record<string, string>[], starts: 0 }]
    for (const entry of entries) {
      if (entry.event === 'restarted') {
        runs.push({ run: Number(entry.run), endings: [], starts: 0 })
      } else if (entry.event === 'active') {
        runs.at(-1)!.starts++
      } else if (ENDINGS.has(entry.event)) {
        runs.at(-1)!.endings.push(entry)
      }
    }
    return runs
  }

  test(`give each run of ${JOBS} jobs exactly one ending, and the answers equal it`, async ({
    assert,
  }) => {
    const workers = await Promise.all(
      [1, 2].map(() => startProcess(lab, { settings: { concurrency: 10 } }))
    )
    const asked: { id: string; answers: Answer[] }[] = []
    let next = 0
    const asking = async () => {
      while (next < JOBS) asked.push(await one(next++))
    }
    await Promise.all(Array.from({ length: 20 }, asking))
    for (const { id } of asked) await lab.ended(id)

    const entries = Map.groupBy(await lab.entriesOf(), ({ jobId }) => jobId)
    const wrong: object[] = []
    const kinds = new Set<string>()
    for (const { id, answers } of asked) {
      const runs = runsOf(entries.get(id)!)
      const opened = answers.filter(({ asked: what, outcome }) => {
        kinds.add(`${what} ${outcome}`)
        return what === 'restart' && outcome === 'done'
      })
      const numbered = runs.map(({ run }) => run)
      const expected = [1, ...opened.map(({ run }) => run).sort((a, b) => a - b)]
      if (numbered.join() !== expected.join()) wrong.push({ id, numbered, expected })
      for (const { run, endings, starts } of runs) {
        const cancels = answers.filter((answer) => answer.asked === 'cancel' && answer.run === run)
        const isCancelled = endings.map((e) => e.event === 'cancelled' || e.cancelled === '1')
        const wanted = cancels.some(({ outcome }) => outcome === 'done' || outcome === 'requested')
        if (endings.length !== 1 || isCancelled[0] !== wanted || starts > 1) {
          wrong.push({ id, run, starts, endings, cancels })
        }
      }
      const { returnvalue, failedReason, run = '1' } = await lab.job(id)
      const last = runs.at(-1)!
      const completed = last.endings[0]?.event === 'completed'
      if (Number(run) !== last.run || (returnvalue !== undefined) !== completed) {
        wrong.push({ id, run, returnvalue, failedReason, last })
      }
    }
    assert.deepEqual(wrong, [])
    assert.includeMembers(
      [...kinds],
      ['cancel requested', 'cancel too_late', 'restart done', 'restart too_late']
    )
    for (const worker of workers) {
      assert.equal((await worker.stop()).code, 0)
      assert.notInclude(worker.output(), 'unhandled')
    }
    assert.lengthOf(await lab.redis.keys(`${lab.prefix}:default:*:lock`), 0)
  })
})
