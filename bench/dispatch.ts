import { Queue } from 'bullmq'
import { Job } from '../src/jobs/job.ts'
import { benchLab } from './support/lab.ts'
import { interleaved, median, ratio } from './support/rounds.ts'
import type { Bench } from './support/types.ts'

const JOBS = 20_000
/** Dispatches under way at once, as a busy web process has them. */
const AT_ONCE = 50

class Noop extends Job<{ n: number }, void> {
  static options = { name: 'bench.noop', queue: 'bench' }
  execute() {}
}

/**
 * Dispatching one job at a time against BullMQ's `add`, on one connection each.
 */
const bench: Bench = async ({ rounds = 9, tell }) => {
  const lab = await benchLab([Noop])
  const queue = new Queue('bench', { connection: lab.plain as never, prefix: '{plain}' })
  const measure = (dispatch: (n: number) => PromiseLike<unknown>) => async () => {
    await lab.plain.flushdb()
    const start = performance.now()
    let next = 0
    const send = async () => {
      while (next < JOBS) await dispatch(next++)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, send))
    return JOBS / ((performance.now() - start) / 1_000)
  }
  const values = await interleaved(
    {
      ours: measure((n) => lab.manager.dispatch(Noop, { n })),
      plain: measure((n) => queue.add('bench.noop', { n })),
    },
    rounds,
    tell
  )
  await queue.close()
  await lab.close()
  return {
    measures: [
      { name: "dispatch / BullMQ's add", value: ratio(values.ours, values.plain), floor: 0.87 },
      { name: 'dispatch', value: Math.round(median(values.ours)), unit: 'jobs/s' },
      { name: 'add', value: Math.round(median(values.plain)), unit: 'jobs/s' },
    ],
  }
}

export default bench
