import { test } from '@japa/runner'
import { Mask, maskedJson } from '../../../src/dashboard/redaction/redact.ts'
import { restoreSecrets } from '../../../src/dashboard/redaction/restore.ts'
import { SecretKeys } from '../../../src/dashboard/redaction/secret_keys.ts'

const keys = new SecretKeys()

const restore = (edited: string, stored: string) =>
  restoreSecrets(edited, maskedJson(stored, keys), stored, keys)

/** A payload that quotes two secrets of its job's result. */
const QUOTING = '{"user":"u-222","list":[1,4711],"note":"p-111 of u-222","password":"p-111","n":1}'
const quoted = new Mask(['p-111', 'u-222', '4711'], keys).json(QUOTING).text

test.group('Secrets of an edited payload', () => {
  test('{0} becomes {2}')
    .with([
      ['{"pin":"[redacted]","n":2}', '{"n":1,"pin":4711}', '{"pin":4711,"n":2}'],
      ['{"a":[{"pin":"[redacted]"}]}', '{"a":[{"pin":"p"}],"b":1}', '{"a":[{"pin":"p"}]}'],
      ['{"secret":"[redacted]"}', '{"secret":{"deep":[1]}}', '{"secret":{"deep":[1]}}'],
      [
        '{"api.key":"[redacted]","api":{"key":2}}',
        '{"api.key":1,"api":{"key":2}}',
        '{"api.key":1,"api":{"key":2}}',
      ],
      [
        '{"note":"uses [redacted]","password":"[redacted]"}',
        '{"note":"uses p-111","password":"p-111"}',
        '{"note":"uses p-111","password":"p-111"}',
      ],
      ['{"user":{"pin":"[redacted]"},"n":1}', '{"user":{"pin":1}}', '{"user":{"pin":1},"n":1}'],
    ] as [string, string, string][])
    .run(({ assert }, [edited, stored, restored]) => {
      assert.equal(restore(edited, stored), restored)
    })

  test('stay where they were hidden: {0} is refused')
    .with([
      ['{"card.cvv":"[redacted]"}', '{"card":{"cvv":"123-456"}}', /card\.cvv says \[redacted\]/],
      ['{"card":{"cvv":"[redacted]"}}', '{"card.cvv":"123-456"}', /card\.cvv says \[redacted\]/],
      ['{"0.pin":"[redacted]"}', '[{"pin":"123-456"}]', /0\.pin says \[redacted\]/],
      ['{"0":{"pin":"[redacted]"}}', '[{"pin":"123-456"}]', /0\.pin says \[redacted\]/],
      ['{"":{"pin":"[redacted]"}}', '{"pin":"123-456"}', /pin says \[redacted\]/],
      ['"[redacted]"', '{"":{"pin":"123-456"}}', /The payload says \[redacted\]/],
    ] as [string, string, RegExp][])
    .run(({ assert }, [edited, stored, refusal]) => {
      assert.throws(() => restore(edited, stored), refusal)
    })

  test('are refused where nothing would hide them any more: {0}')
    .with([
      ['{"note":"uses [redacted]"}'],
      ['{"note":"uses [redacted]","password":"another"}'],
      ['{"note":"uses [redacted]","password":"note"}'],
    ] as [string][])
    .run(({ assert }, [edited]) => {
      const stored = '{"note":"uses p-111","password":"p-111"}'
      assert.throws(() => restore(edited, stored), /note says \[redacted\], but .* would be seen/)
    })

  test('that only another text of the job tells are put back: {0} becomes {1}')
    .with([
      ['{"user":"[redacted]","n":2}', '{"user":"u-222","n":2}'],
      ['{"user":"[redacted]","apiKey":"u-222"}', '{"user":"u-222","apiKey":"u-222"}'],
      ['{"list":[1,"[redacted]"]}', '{"list":[1,4711]}'],
      [
        '{"note":"[redacted] of [redacted]","password":"[redacted]"}',
        '{"note":"p-111 of u-222","password":"p-111"}',
      ],
    ] as [string, string][])
    .run(({ assert }, [edited, restored]) => {
      assert.equal(restoreSecrets(edited, quoted, QUOTING, keys), restored)
    })

  test('are refused where a text holds one of its own beside that of another: {0}')
    .with([
      ['{"note":"[redacted] of [redacted]"}'],
      ['{"note":"[redacted] of [redacted]","password":"another"}'],
    ] as [string][])
    .run(({ assert }, [edited]) => {
      assert.throws(
        () => restoreSecrets(edited, quoted, QUOTING, keys),
        /note says .* would be seen/
      )
    })
})
