import { test } from '@japa/runner'
import type { EntryFields } from '../../../src/mirror/entries.ts'
import { StreamBatch } from '../../../src/mirror/batch.ts'
import { Position } from '../../../src/mirror/position.ts'
import type { AttemptWrite, StoredJob } from '../../../src/records/writer_types.ts'
import { ID } from './folding.ts'
import { blank } from './memory_writer.ts'

type Hash = Record<string, string>

const ADDED: Hash = { name: 'send', data: '{}', opts: '{}', timestamp: '1' }

/** What plain BullMQ's entries say of an attempt that does not end its job. */
const PUT_OFF: EntryFields[] = [
  { event: 'added', name: 'send' },
  { event: 'waiting' },
  { event: 'active', prev: 'waiting' },
  { event: 'delayed', delay: '3' },
]
const FAILS: EntryFields[] = [
  { event: 'waiting', prev: 'delayed' },
  { event: 'active', prev: 'waiting' },
  { event: 'failed', failedReason: 'planned', prev: 'active' },
]

/**
 * Folds batches of a plain job's entries, each with the hash that Redis has by then; answers its attempts as they were written last.
 */
async function attemptsOf(...batches: [entries: EntryFields[], hash: Hash][]) {
  const position = new Position('mail', 'q:mail:events')
  const attempts = new Map<number, AttemptWrite>()
  let job: StoredJob | undefined
  let id = 0
  for (const [entries, hash] of batches) {
    const batch = new StreamBatch()
    batch.add(
      position,
      entries.map((fields) => ({ id: `${++id}-0`, fields: { jobId: ID, ...fields } }))
    )
    let values: (string | null)[] = []
    const pipeline = {
      hmget(_key: string, ...fields: string[]) {
        values = fields.map((field) => hash[field] ?? null)
      },
      exec: async () => [[null, values]],
    }
    await batch.complete({ pipeline: () => pipeline } as never)
    job ??= blank(batch.keys[0])
    for (const folded of batch.fold([job], true)) {
      for (const attempt of folded.attempts) attempts.set(attempt.attempt, attempt)
    }
    position.commit(batch.moves(null)![0])
  }
  return [...attempts.values()].map(({ outcome, stack }) => ({ outcome, stack }))
}

test.group('Mirror | hashes of plain jobs', () => {
  const ended = {
    ...ADDED,
    atm: '1',
    finishedOn: '9',
    failedReason: 'planned',
    stacktrace: '["at last"]',
  }
  const handedBack = { outcome: 'handed back', stack: null }
  const failed = { outcome: 'failed', stack: 'at last' }

  test('an attempt that put its job off has not failed', async ({ assert }) => {
    assert.deepEqual(await attemptsOf([PUT_OFF, { ...ADDED, atm: '0' }]), [handedBack])
  })

  test('nor when its job has failed before anybody looked', async ({ assert }) => {
    const [first] = await attemptsOf([PUT_OFF, ended])
    assert.deepEqual(first, handedBack)
    assert.deepEqual(await attemptsOf([PUT_OFF, ended], [FAILS, ended]), [handedBack, failed])
    assert.deepEqual(await attemptsOf([[...PUT_OFF, ...FAILS], ended]), [handedBack, failed])
  })

  test('nor when it has completed', async ({ assert }) => {
    const completed = { ...ADDED, atm: '1', finishedOn: '9', returnvalue: '1' }
    assert.deepEqual(await attemptsOf([PUT_OFF, completed]), [handedBack])
  })

  test('one that failed has, whenever anybody looks', async ({ assert }) => {
    const stacktrace = '["at first"]'
    const first = { outcome: 'failed', stack: 'at first' }
    assert.deepEqual(await attemptsOf([PUT_OFF, { ...ADDED, atm: '1', stacktrace }]), [first])
    const completed = { ...ADDED, atm: '2', finishedOn: '9', returnvalue: '1', stacktrace }
    assert.deepEqual(await attemptsOf([PUT_OFF, completed]), [first])
    const failing = { ...ended, atm: '2', stacktrace: '["at first","at last"]' }
    assert.deepEqual(await attemptsOf([PUT_OFF, failing], [FAILS, failing]), [first, failed])
  })
})
