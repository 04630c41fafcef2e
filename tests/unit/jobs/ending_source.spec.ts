import { test } from '@japa/runner'
import { TransportAndRecord } from '../../../src/jobs/ending_source.ts'

/** State, reason that Redis has, and what is told. */
const CASES = {
  'still runs, after an attempt that failed': ['active', '[BOOM] once', 'Cancelled by ann'],
  'has stopped': ['failed', '[CANCELLED] no longer needed', 'no longer needed'],
} as const

test.group('Jobs | endings', () => {
  for (const [name, [state, failedReason, message]] of Object.entries(CASES)) {
    test(`a cancelled job that ${name} says why it was cancelled`, async ({ assert }) => {
      const facts = { state, returnvalue: null, failedReason, cancelRequest: '{"by":"ann"}' }
      const source = new TransportAndRecord(
        { facts: async () => facts, subscribe: async () => () => {} },
        async () => null
      )
      const ending = await source.endingOf('a', 'q')
      assert.deepEqual(ending, { status: 'cancelled', code: 'CANCELLED', message })
    })
  }
})
