import { test } from '@japa/runner'
import { auditItem, auditJson } from '../../../src/dashboard/presenters/audit_page.ts'
import { SecretKeys } from '../../../src/dashboard/redaction/secret_keys.ts'
import type { AuditRow } from '../../../src/records/audit/audit_log.ts'
import { CONTEXT } from '../../browser/stage/worker_samples.ts'

const keys = new SecretKeys()
const row: AuditRow = {
  seq: 1,
  id: '01900000-0000-7000-8000-000000000001',
  at: 0,
  actor: { id: 'a', via: 'api' },
  action: 'create_schedule',
  target: { kind: 'schedule', id: '01900000-0000-7000-8000-000000000002' },
  outcome: 'done',
  reason: null,
  detail: { every: 90_000, missed: 'skip' },
}

test.group('Audit page', () => {
  test('people read durations in words, programs get milliseconds', ({ assert }) => {
    const { detail, via } = auditItem(row, { ...CONTEXT, keys })
    assert.deepEqual(detail, [
      { label: 'every', value: '1 minute 30 seconds' },
      { label: 'missed', value: 'skip' },
    ])
    assert.equal(via, 'through the API')
    assert.equal(auditJson(row, keys).detail.every, 90_000)
  })

  test('says of a job what was done, or what came of it', ({ assert }) => {
    const said = (change: Partial<AuditRow>) =>
      auditItem({ ...row, ...change }, { ...CONTEXT, keys }).said
    assert.equal(said({ action: 'dispatch' }), 'Added')
    assert.equal(said({ action: 'restart', outcome: 'too_late' }), 'Restart: too late')
    assert.equal(said({ action: 'mute' }), 'Mute alert')
    assert.equal(said({ action: 'later' as never, outcome: 'later' as never }), 'Later: later')
  })
})
