import { test } from '@japa/runner'
import { Mask } from '../../../src/dashboard/redaction/redact.ts'
import { SecretKeys } from '../../../src/dashboard/redaction/secret_keys.ts'
import { stopwatch } from '#tests/helpers/stopwatch'

const mask = new Mask([], new SecretKeys())

test.group('Secrets that only their own text tells', () => {
  test('of a header go to the end of its line, or of its quote', ({ assert }) => {
    for (const [text, shown] of [
      ['Authorization: Token abc123', 'Authorization: [redacted]'],
      ['sent Authorization: ApiKey abc123\nHost: a', 'sent Authorization: [redacted]\nHost: a'],
      ['Authorization: Bearer t-333\r\nHost: a', 'Authorization: [redacted]\r\nHost: a'],
      [
        'Proxy-Authorization: Digest username="u", response="66d1"\nok',
        'Proxy-Authorization: [redacted]\nok',
      ],
      ['Cookie: theme=dark; session=abc123\nok', 'Cookie: [redacted]\nok'],
      ['Set-Cookie: id=abc123; Path=/', 'Set-Cookie: [redacted]'],
      ["curl -H 'Cookie: a=1; b=2' http://a", "curl -H 'Cookie: [redacted]' http://a"],
      [
        '"Authorization: Digest username=\\"u\\", response=\\"66\\"", 4',
        '"Authorization: [redacted]", 4',
      ],
      ['"Cookie: ", "ok"', '"Cookie: ", "ok"'],
      ["{ authorization: 'Token abc', n: 1 }", "{ authorization: '[redacted]', n: 1 }"],
      ['{"authorization":"Token abc123…', '{"authorization":"[redacted]"'],
      ['Cookie:\n- a\n- b', 'Cookie:\n[redacted] a\n- b'],
    ]) {
      assert.equal(mask.text(text), shown)
    }
  })

  test('are found in JSON that is quoted in JSON', ({ assert }) => {
    for (const [text, shown] of [
      [
        '{"data":"{\\"password\\":\\"hunter2\\",\\"n\\":1}"}',
        '{"data":"{\\"password\\":\\"[redacted]\\",\\"n\\":1}"}',
      ],
      ['{\\"password\\":\\"a\\\\\\"b\\",\\"n\\":1}', '{\\"password\\":\\"[redacted]\\",\\"n\\":1}'],
      ['{\\\\\\"token\\\\\\":\\\\\\"abc\\\\\\"}', '{\\\\\\"token\\\\\\":\\\\\\"[redacted]\\\\\\"}'],
      ['{\\"password\\":\\"hunter2…\nok', '{\\"password\\":\\"[redacted]\\"\nok'],
      ['\\"Cookie: a=1; b=2\\", ok', '\\"Cookie: [redacted]\\", ok'],
    ]) {
      assert.equal(mask.text(text), shown)
    }
  })

  test('go with the list or the object that holds them', ({ assert }) => {
    for (const [text, shown] of [
      ["{ password: [ 'hunter2' ], n: [ 1 ] }", '{ password: [redacted], n: [ 1 ] }'],
      ['secrets: { a: "x]", b: [{ c: 1 }] } n', 'secrets: [redacted] n'],
      ["secrets: [\n  'one',\n  'two'\n], n", 'secrets: [redacted], n'],
      ['{\\"tokens\\":[\\"a]\\",\\"b\\"],\\"n\\":1}', '{\\"tokens\\":[redacted],\\"n\\":1}'],
      ["'set-cookie': [ 'a=1; b=2', 'c=3' ] n", "'set-cookie': [redacted] n"],
      ["password: [ 'hunter2…\nok", 'password: [redacted]\nok'],
      [`secrets: ${'['.repeat(20)}\nok`, 'secrets: [redacted]\nok'],
      [`secrets: [${'1, '.repeat(2_000)}\n]`, 'secrets: [redacted]\n]'],
      ['password=[redacted] n', 'password=[redacted] n'],
    ]) {
      assert.equal(mask.text(text), shown)
    }
  })

  test('are looked for in time linear in the text, however it is written', ({ assert }) => {
    for (const piece of [
      'Cookie: a',
      'Cookie: a\n',
      'Cookie:\n',
      '"Cookie: a',
      `"Cookie: a'Cookie: b`,
      '\\"Cookie: a',
      'Cookie: a="',
      '\\',
      '\\"a\\":',
      'password=\\"',
      'password=\\"\n',
      `password=\\"\\'`,
      'password=\\\\\\"\\',
      'password=[',
      'password=[\n',
      'password=[]',
      'password=[[]\n',
      "password=['\n",
      `password=["'\n`,
      'password={\\"\n',
      'password=[[redacted]\n',
      '[password={',
    ]) {
      const took = stopwatch()
      mask.text(piece.repeat(400_000 / piece.length))
      assert.isBelow(took(), 1_500, piece)
    }
  })
})
