import { test } from '@japa/runner'
import type { DispatchOptions, JobHandle } from '#queuedeck'
import { RestartJob } from '../../../src/operations/restart_job.ts'
import type { Actor, JobDetails } from '../../../src/types.ts'
import { waitFor } from '#tests/helpers/wait'
import { DashboardLab } from '../dashboard/lab.ts'
import { ran, Step } from './jobs.ts'

const ME: Actor = { id: '7', name: 'Ada', via: 'page' }
const POLICIES = ['cancel', 'run', 'skip'] as const
const ENDINGS = ['completes', 'fails', 'is cancelled', 'is removed', 'is skipped'] as const
const AFTERWARDS = [
  'nothing',
  'restart of the awaited',
  'restart of the waiting',
  'cancel of the waiting',
] as const

type Case = {
  policy: (typeof POLICIES)[number]
  ending: (typeof ENDINGS)[number]
  then: (typeof AFTERWARDS)[number]
}

const CASES = POLICIES.flatMap((policy) =>
  ENDINGS.flatMap((ending) => AFTERWARDS.map((then): Case => ({ policy, ending, then })))
)

/** What has to have happened to the waiting job and to one behind it: how each ended, in which run, and how often its code ran. */
type Expected = { waiting: string; behind: string; runs: number; times: number }

function model({ policy, ending, then }: Case): Expected {
  const isBad = ending === 'fails' || ending === 'is cancelled' || ending === 'is removed'
  const verdict = isBad ? policy : 'run'
  /** Cancelled before what it waits for had ended. */
  if (then === 'cancel of the waiting') {
    return { waiting: 'CANCELLED', behind: 'AWAITED_FAILED', runs: 1, times: 0 }
  }
  const first: Expected = {
    waiting: { run: 'completed', cancel: 'AWAITED_FAILED', skip: 'SKIPPED' }[verdict],
    behind: verdict === 'cancel' ? 'AWAITED_FAILED' : 'completed',
    runs: 1,
    times: verdict === 'run' ? 1 : 0,
  }
  if (then === 'nothing' || verdict === 'run') return first
  /** By itself it does not look at what has ended; what was cancelled with it comes along. */
  if (then === 'restart of the waiting') {
    return { waiting: 'completed', behind: 'completed', runs: 2, times: 1 }
  }
  /** A job that was removed has a record, and runs again; one that fails does so again. */
  if (ending === 'fails') return { ...first, runs: 2 }
  return { waiting: 'completed', behind: 'completed', runs: 2, times: 1 }
}

test.group('Flows | every policy, every ending, cancel and restart', (group) => {
  let lab: DashboardLab

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: [Step], shield: false })
    ;(await lab.app.container.make('queuedeck.flows.service')).start()
    await lab.work({ queues: ['one'], concurrency: 8 })
    return () => lab.close()
  })

  test('end as a small model says', async ({ assert }) => {
    const { container } = lab.app
    const records = await container.make('queuedeck.records')
    const transport = await container.make('queuedeck.transport')
    const queue = await container.make('queuedeck')
    const { reader } = records
    const dispatch = (
      name: string,
      { fail, ...options }: DispatchOptions & { fail?: boolean } = {}
    ) => queue.dispatch(Step, { name, fail }, { queue: 'one', ...options }).run()
    const over = ({ jobId }: JobHandle, run = 1): Promise<JobDetails> =>
      waitFor(
        `${jobId} to be over in run ${run}`,
        async () => {
          const job = await reader.find(jobId)
          const isOver = job !== null && job.finishedAt !== null && job.run >= run
          return isOver && job
        },
        { within: 30_000 }
      )
    const said = ({ status, error }: JobDetails) => (status === 'cancelled' ? error!.code! : status)
    const held = { queue: 'held' }
    const never = await dispatch('never', { fail: true })

    const answers = await Promise.all(
      CASES.map(async (one, n) => {
        const { policy, ending, then } = one
        const name = `case ${n}`
        const awaited = await dispatch(`${name} awaited`, {
          ...held,
          fail: ending === 'fails',
          ...(ending === 'is skipped' && {
            queue: 'one',
            waitFor: { jobId: never.jobId, queue: 'one', onFailure: 'skip' },
          }),
        })
        const waiting = await dispatch(name, {
          waitFor: { jobId: awaited.jobId, queue: awaited.queue, onFailure: policy },
        })
        const behind = await dispatch(`${name} behind`, { waitFor: waiting })
        return { one, name, awaited, waiting, behind, then, ending }
      })
    )
    await Promise.all(
      answers.map(async ({ awaited, waiting, ending, then }) => {
        if (then === 'cancel of the waiting' && ending !== 'is skipped') {
          await transport.cancel('one', waiting.jobId, { by: 'me', reason: 'no' })
        }
        const [at, id] = [transport.keys.queue('held'), awaited.jobId]
        const redis = transport.connections.producer
        if (ending === 'is cancelled')
          await transport.cancel('held', id, { by: 'me', reason: 'no' })
        if (ending === 'is removed') {
          /** As other tools do it. */
          await redis
            .multi()
            .lrem(`${at}wait`, 0, id)
            .del(at + id)
            .xadd(`${at}events`, '*', 'event', 'removed', 'jobId', id, 'prev', 'wait')
            .exec()
        }
      })
    )
    await lab.work({ queues: ['held'], concurrency: 8 })
    await Promise.all(
      answers.map(async ({ one, name, awaited, waiting, behind, then, ending }) => {
        /** A skipped job ends at once, so its waiting job cannot be cancelled before. */
        if (then === 'cancel of the waiting' && ending === 'is skipped') return
        await Promise.all([over(awaited), over(waiting), over(behind)])
        const expected = model(one)
        if (then === 'restart of the awaited' || then === 'restart of the waiting') {
          const target = then === 'restart of the awaited' ? awaited : waiting
          await new RestartJob({ transport, reader }).handle(target.jobId, ME)
        }
        const [ended, last] = [await over(waiting, expected.runs), await over(behind)]
        const is = {
          waiting: said(ended),
          behind: said(expected.behind === 'completed' ? await over(behind, last.run) : last),
          runs: ended.run,
          times: ran.filter((other) => other === name).length,
        }
        if (is.behind !== expected.behind) {
          /** It follows the waiting job's newest run. */
          is.behind = said(await over(behind, 2))
        }
        assert.deepEqual(is, expected, JSON.stringify(one))
      })
    )
  }).timeout(90_000)
})
