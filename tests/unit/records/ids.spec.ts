import { test } from '@japa/runner'
import { uuidV7 } from '../../../src/jobs/uuid.ts'
import { foreignId, uuidToBytes, uuidV5 } from '../../../src/records/ids.ts'
import { mayBeRunId, runId } from '../../../src/records/schedules/run_id.ts'

/** Of RFC 9562, for names of hosts. */
const DNS = uuidToBytes('6ba7b810-9dad-11d1-80b4-00c04fd430c8')

const SCHEDULE = '0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b'
const DUE = 1_700_000_000_000

test.group('Derived ids', () => {
  test('are UUIDs of version 5', ({ assert }) => {
    assert.equal(uuidV5(DNS, 'www.example.com'), '2ed6657d-e927-568b-95e1-2665a8aea6a2')
  })

  /** Another id would give a foreign job a second record, and a planned moment a second run. */
  test('stay the same in every release', ({ assert }) => {
    assert.equal(foreignId('mails', '1'), '5aa8ea76-c7b7-5ea5-9d91-9bc1596b5544')
    assert.equal(runId(SCHEDULE, 1, DUE), '85984d3b-7ecf-5e29-bbfc-2ec5285e8615')
    assert.equal(runId(SCHEDULE, 2, DUE), '636e92a5-61f8-56a7-a31f-52f5f8f49b48')
  })

  test('of runs are told from those of other jobs', ({ assert }) => {
    assert.isTrue(mayBeRunId(runId(SCHEDULE, 1, DUE)))
    assert.isFalse(mayBeRunId(uuidV7()))
    assert.isFalse(mayBeRunId(SCHEDULE))
  })
})
