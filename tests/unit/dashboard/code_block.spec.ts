import { test } from '@japa/runner'
import { codeBlock } from '../../../src/dashboard/presenters/code_block.ts'
import { redactJson } from '../../../src/dashboard/redaction/redact.ts'
import { SecretKeys } from '../../../src/dashboard/redaction/secret_keys.ts'

const show = (json: string) => codeBlock('Payload', json, redactJson(json, new SecretKeys()), null)

test.group('Code block', () => {
  test('indents what is long and keeps what is short on one line', ({ assert }) => {
    const long = 'x'.repeat(70)
    assert.equal(
      show(`{"a":[1,2],"b":{"c":"${long}","d":[]},"e":{}}`).text,
      `{\n  "a": [1, 2],\n  "b": {\n    "c": "${long}",\n    "d": []\n  },\n  "e": {}\n}`
    )
  })

  test('shows {$self} as it stands')
    .with(['{}', '[]', '1970670598291982291', '"text"', 'null'])
    .run(({ assert }, json) => assert.equal(show(json).text, json))

  test('shows what is no JSON as plain text', ({ assert }) => {
    assert.deepEqual(show('{"a":').tokens, [{ kind: 'plain', text: '{"a":' }])
  })

  test('keeps digits, order and doubled keys', ({ assert }) => {
    assert.equal(
      show('{"b":1970670598291982291,"1":0.10,"b":2}').text,
      '{\n  "b": 1970670598291982291,\n  "1": 0.10,\n  "b": 2\n}'
    )
  })

  test('hides secrets and cuts what is too long, saying how much', ({ assert }) => {
    const block = show(
      `{"password":"p-111","text":["${'y'.repeat(39_000)}","${'z'.repeat(9_000)}"]}`
    )
    assert.notInclude(block.text, 'p-111')
    assert.isFalse(block.cut)
    const many = show(JSON.stringify(Array.from({ length: 9_000 }, (_, index) => `item ${index}`)))
    assert.isTrue(many.cut)
    assert.match(many.text, /… [\d,]+ more characters$/)
  })
})
