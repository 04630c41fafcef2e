import { test } from '@japa/runner'
import { BatchSize } from '../../../src/cleanup/batch_size.ts'
import { breathe, type CleanupContext } from '../../../src/cleanup/context.ts'

test.group('Between two transactions of a cleanup', () => {
  test('MariaDB and MySQL get as long as the one before took, to write what it changed', async ({
    assert,
  }) => {
    const eraser = { dialect: 'mysql', lastHeld: 120 }
    const context = { eraser, progressed: () => {} } as unknown as CleanupContext
    const began = performance.now()
    await breathe(context, new BatchSize(), 200, 'completedRecords')
    /** Timers may fire up to a millisecond early. */
    assert.isAtLeast(performance.now() - began, 119)
  })
})
