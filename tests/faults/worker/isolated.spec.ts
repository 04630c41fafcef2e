import { readFileSync } from 'node:fs'
import { test } from '@japa/runner'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from '../../functional/worker/lab.ts'
import { add, startProcess } from './processes.ts'

const worker = { lease: '1s', grace: '500ms' }

/** Processes that a process has started and that are still there. */
function children(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.trim() === '' ? [] : text.trim().split(' ').map(Number)
}

/** Whether a process runs: one that has ended may wait for a parent that never looks. */
function isThere(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

test.group('Isolated jobs of a worker that is killed', (group) => {
  let lab: WorkerLab
  group.each.setup(async () => {
    lab = new WorkerLab((await redisServer()).url)
    return () => lab.close()
  })

  test('end with it, though they never look up, and go on as their next attempt', async ({
    assert,
  }) => {
    const first = await startProcess(lab, { worker })
    const ids = await Promise.all(
      [1, 2].map(() => add(lab, 'isolated', { does: 'spin', ms: 3_000 }))
    )
    await waitFor(
      'both to run',
      async () => (await lab.entriesOf()).filter(({ event }) => event === 'progress').length === 2
    )
    const running = children(first.pid)
    assert.lengthOf(running, 2)
    await first.stop('SIGKILL')
    await waitFor('their processes to end', () => !running.some(isThere), { within: 2_000 })

    const second = await startProcess(lab, { worker })
    for (const id of ids) {
      const job = await lab.ended(id, 'default', 30_000)
      assert.deepEqual([job.state, job.ats], ['completed', '2'])
      assert.notInclude(running, Number(job.returnvalue))
    }
    /** Ctrl-C, which a terminal sends to the whole group: the worker ends in order. */
    const idle = children(second.pid)
    assert.lengthOf(idle, 2)
    assert.equal((await second.stop('SIGINT')).code, 0, second.output())
    assert.isFalse(idle.some(isThere))
  })
})
