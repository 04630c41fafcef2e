import { test } from '@japa/runner'
import QueueCancel from '../../../commands/queue_cancel.ts'

/** What the command writes when Ace finds its options wrong. */
function written(parsed: { args?: string[]; flags?: object; unknownFlags?: string[] }): string {
  const { write } = process.stdout
  let text = ''
  process.stdout.write = (part: string | Uint8Array) => {
    text += String(part)
    return true
  }
  try {
    const nothing = { _: [], args: [], flags: {}, unknownFlags: [], nodeArgs: [] }
    QueueCancel.validate({ ...nothing, ...parsed })
  } catch {
    // Ace tells people of it.
  } finally {
    process.stdout.write = write
  }
  return text
}

test.group('Commands with wrong options', () => {
  test('print one JSON document too where it is asked for', ({ assert }) => {
    const flags = { json: true }
    assert.containsSubset(JSON.parse(written({ flags })), {
      errors: [{ code: 'E_MISSING_ARG', message: 'Missing required argument "jobId"' }],
    })
    assert.containsSubset(JSON.parse(written({ flags, args: ['x'], unknownFlags: ['in'] })), {
      errors: [{ code: 'E_UNKNOWN_FLAG' }],
    })
    assert.equal(written({ flags, args: ['x'] }), '')
    assert.equal(written({}), '')
  })
})
