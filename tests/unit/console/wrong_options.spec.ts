import type { ParsedOutput } from '@adonisjs/core/types/ace'
import { test } from '@japa/runner'
import QueueCancel from '../../../commands/queue_cancel.ts'
import QueueMirror from '../../../commands/queue_mirror.ts'
import QueueStatus from '../../../commands/queue_status.ts'
import QueueWork from '../../../commands/queue_work.ts'
import type { StrictCommand } from '../../../src/console/strict_command.ts'

const NOTHING = { _: [], args: [], flags: {}, unknownFlags: [], nodeArgs: [] }

/** What the command writes when Ace finds its options wrong. */
function written(
  parsed: Partial<ParsedOutput>,
  Command: typeof StrictCommand = QueueCancel
): string {
  const { write } = process.stdout
  let text = ''
  process.stdout.write = (part: string | Uint8Array) => {
    text += String(part)
    return true
  }
  try {
    Command.validate({ ...NOTHING, ...parsed })
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
    assert.containsSubset(JSON.parse(written({ flags, unknownFlags: ['in'] }, QueueMirror)), {
      errors: [{ code: 'E_UNKNOWN_FLAG' }],
    })
    assert.equal(written({ flags, args: ['x'] }), '')
    assert.equal(written({}), '')
  })

  test('refuse arguments they do not take', ({ assert }) => {
    for (const Command of [QueueWork, QueueMirror, QueueStatus]) {
      const surplus = () => Command.validate({ ...NOTHING, _: ['mails'] })
      assert.throws(surplus, `"mails" is one argument too many: "${Command.commandName} --help"`)
      assert.doesNotThrow(() => Command.validate(NOTHING))
    }
    const second = { flags: { json: true }, args: ['x'], _: ['y'] }
    assert.containsSubset(JSON.parse(written(second)), { errors: [{ code: 'E_SURPLUS_ARGUMENT' }] })
  })
})
