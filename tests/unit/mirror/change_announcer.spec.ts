import { test } from '@japa/runner'
import { waitFor } from '#tests/helpers/wait'
import { ChangeAnnouncer } from '../../../src/mirror/change_announcer.ts'
import type { StoredJob } from '../../../src/records/writer_types.ts'
import type { ChangeNotice } from '../../../src/types.ts'
import { blank } from './memory_writer.ts'

type Notice = Omit<ChangeNotice, 'revision'>

function job(changes: Partial<StoredJob> = {}): StoredJob {
  const id = '01900000-0000-7000-8000-000000000001'
  return { ...blank({ queue: 'q', transportId: id, id }), type: 't', status: 'pending', ...changes }
}

const RUNNING = { status: 'running', was: 'running', wasAttempts: 1, attempts: 1 } as const

/** Publishes as long as `isAway` does not say that Redis takes nothing. */
function announcer(isAway: () => boolean = () => false) {
  const told: Notice[] = []
  const tries = { count: 0 }
  const announces = new ChangeAnnouncer(async (notice) => {
    tries.count++
    if (isAway()) throw new Error('OOM command not allowed')
    told.push(notice)
  })
  return { announces, told, tries }
}

test.group('Change announcer', () => {
  test('says that there was more once it can, though nothing else is to be told', async ({
    assert,
  }) => {
    let isAway = true
    const { announces, told, tries } = announcer(() => isAway)
    announces.add([job()], 3)
    await waitFor('it to be tried again', () => tries.count > 1)
    assert.isEmpty(told)
    isAway = false
    await waitFor('the notice', () => told.length > 0)
    assert.deepEqual(told, [{ changed: [], more: true, progress: [], lag: 3 }])
    await announces.close()
    assert.lengthOf(told, 1, 'told once')
  })

  test('says with what follows that there was more, and then no more of it', async ({ assert }) => {
    let isAway = true
    const { announces, told } = announcer(() => isAway)
    announces.add([job()], 0)
    await announces.flush()
    isAway = false
    announces.add([job()], 0)
    await announces.flush()
    announces.add([job()], 0)
    await announces.close()
    assert.deepEqual(
      told.map(({ changed, more }) => [changed.length, more]),
      [
        [1, true],
        [1, false],
      ]
    )
  })

  test('leaves no timer when it closes, and waits for no answer that does not come', async ({
    assert,
  }) => {
    const timers = () =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const { announces, tries } = announcer(() => true)
    announces.add([job()], 0)
    await announces.close()
    assert.equal(tries.count, 1)
    assert.isAtMost(timers(), before)

    const silent = new ChangeAnnouncer(() => new Promise(() => {}))
    silent.add([job()], 0)
    await silent.close()
  })

  test('tells of a job that was taken again within one batch, and of none that only goes on', async ({
    assert,
  }) => {
    const { announces, told } = announcer()
    for (const begun of [{ attempts: 2 }, { run: 2 }]) {
      announces.add([job({ ...RUNNING, ...begun })], 0)
      await announces.flush()
      assert.equal(told.pop()?.changed[0]?.status, 'running', JSON.stringify(begun))
    }
    announces.add([job({ ...RUNNING, percent: 5 })], 0)
    await announces.flush()
    assert.deepEqual(told.pop()?.changed, [])
  })

  test('tells progress that only counts', async ({ assert }) => {
    const { announces, told } = announcer()
    announces.add([job({ ...RUNNING, done: 5 })], 0)
    await announces.flush()
    assert.deepEqual(
      told.flatMap(({ progress }) => progress.map(([, percent, , done]) => [percent, done])),
      [[0, 5]]
    )
    announces.add([job(RUNNING)], 0)
    await announces.flush()
    assert.lengthOf(told, 1, 'what has told nothing yet has no progress')
  })
})
