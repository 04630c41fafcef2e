import { test } from '@japa/runner'
import { transportJob } from '#tests/helpers/transport_job'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { starts, startProcess } from './processes.ts'

const worker = { lease: '1s', grace: '10s', maxLosses: 1 }

test.group('Keys of unique jobs whose worker is killed', (group) => {
  let lab: WorkerLab
  group.each.setup(async () => {
    lab = new WorkerLab((await redisServer()).url)
    return () => lab.close()
  })

  /** Answers the job that has the key: the new one, unless another has it. */
  async function dispatch(key: string, ms: number) {
    const unique = { key, until: 'finished' }
    const job = transportJob({ qd: { unique } } as never, {
      name: 'short',
      data: JSON.stringify({ ms }),
    })
    const duplicates = await lab.transport.add([job])
    return duplicates?.get(job.id)?.id ?? job.id
  }

  test('are held until their jobs have ended, whoever runs them, and those of jobs that vanished block nobody', async ({
    assert,
  }) => {
    const first = await startProcess(lab, { worker })
    const runs = await dispatch('runs', 1_500)
    const fails = await dispatch('fails', 60_000)
    const vanishes = await dispatch('vanishes', 60_000)
    await waitFor('all to run', async () => (await starts(lab)).length === 3)
    await first.stop('SIGKILL')
    assert.equal(await dispatch('runs', 1), runs)

    /** As after a Redis that came back without its newest writes. */
    const { keys } = lab.transport
    await lab.redis.del(keys.job('default', vanishes), keys.lock('default', vanishes))
    const instead = await dispatch('vanishes', 1)
    assert.notEqual(instead, vanishes)

    const second = await startProcess(lab, { worker })
    await waitFor('both to run again', async () => {
      const again = (await starts(lab)).filter((start) => start.endsWith(' 2'))
      return again.length === 2
    })
    assert.equal(await dispatch('runs', 1), runs)
    assert.equal((await lab.ended(runs)).state, 'completed')
    const next = await dispatch('runs', 1)
    assert.notEqual(next, runs)
    for (const id of [next, instead]) assert.equal((await lab.ended(id)).state, 'completed')

    /** Its last worker is killed as well: nobody runs it any more, and its key is free. */
    assert.equal(await dispatch('fails', 1), fails)
    await second.stop('SIGKILL')
    const third = await startProcess(lab, { worker })
    assert.match((await lab.ended(fails, 'default', 20_000)).failedReason, /^\[WORKER_LOST\] /)
    const last = await dispatch('fails', 1)
    assert.notEqual(last, fails)
    await lab.ended(last)
    /** And nothing is kept of them once a cleanup came by. */
    await lab.transport.audit.sweepUnique(false, lab.redis)
    assert.equal(await lab.redis.hlen(lab.transport.keys.unique), 0)
    assert.lengthOf(
      (await starts(lab)).filter((start) => start.startsWith(`${runs} `)),
      2
    )
    assert.equal((await third.stop()).code, 0)
  })
})
