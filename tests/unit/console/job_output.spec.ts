import { test } from '@japa/runner'
import { jobLine } from '../../../src/console/job_output.ts'

test.group('A job on one line', () => {
  const job = { id: 'a', status: 'failed', type: 't', queue: 'q', duration: null }
  const line = (more: object, message: string | null = null) =>
    jobLine(
      { ...job, ...more } as never,
      { error: () => (message === null ? null : { code: null, message }) } as never
    )

  test('cuts its error between whole characters, with a mark', ({ assert }) => {
    const cut = line({}, `${'x'.repeat(78)}👩‍👩‍👧 is not known`)
    assert.isTrue(cut.endsWith(`${'x'.repeat(78)}…`), cut)
    assert.isTrue(line({}, 'no disk').endsWith('  no disk'))
  })

  test('is not done before it is', ({ assert }) => {
    assert.include(line({ status: 'running', progress: { percent: 99.6 } }), '99 %')
  })
})
