import { test } from '@japa/runner'
import { Mask, secretsOf } from '../../../src/dashboard/redaction/redact.ts'
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

  test('are hidden within the strings of JSON, which stays what it is', ({ assert }) => {
    const shown = (value: unknown) => JSON.parse(mask.json(JSON.stringify(value)).text)
    for (const [value, wanted] of [
      [{ json: '{"password":"sv-1","n":1}' }, { json: '{"password":"[redacted]","n":1}' }],
      [['https://x/?access_token=sv-1&n=1'], ['https://x/?access_token=[redacted]&n=1']],
      [{ db: 'postgres://u:sv-1@h/d' }, { db: 'postgres://u:[redacted]@h/d' }],
      [{ line: 'Authorization: Bearer sv-1' }, { line: 'Authorization: [redacted]' }],
      [{ yaml: 'user: u\npassword: sv-1\n' }, { yaml: 'user: u\npassword: [redacted]\n' }],
      ['token=sv-1', 'token=[redacted]'],
      [{ text: 'nothing to hide: 1' }, { text: 'nothing to hide: 1' }],
    ]) {
      assert.deepEqual(shown(value), wanted)
    }
  })

  test('are hidden where their key is a value', ({ assert }) => {
    const hidden = '[redacted]'
    for (const [value, wanted] of [
      [
        { name: 'password', value: 'sv-1' },
        { name: 'password', value: hidden },
      ],
      [
        { Key: 'x-api-key', Value: { a: ['sv-1'] } },
        { Key: 'x-api-key', Value: hidden },
      ],
      [
        { value: 'sv-1', header: 'Cookie' },
        { value: hidden, header: 'Cookie' },
      ],
      [
        { name: 'maxTokens', value: 100 },
        { name: 'maxTokens', value: 100 },
      ],
      [
        { name: 'user', value: 'ada' },
        { name: 'user', value: 'ada' },
      ],
      [{ name: 'password' }, { name: 'password' }],
      [
        [
          ['Host', 'a'],
          ['Authorization', 'sv-1'],
        ],
        [
          ['Host', 'a'],
          ['Authorization', hidden],
        ],
      ],
      [{ fields: ['password', 'email'] }, { fields: ['password', 'email'] }],
    ]) {
      assert.deepEqual(JSON.parse(mask.json(JSON.stringify(value)).text), wanted)
    }
  })

  test('hide no words that only say what kind of credential follows', ({ assert }) => {
    const payload = '{"authorization":{"scheme":"Bearer","value":"sv-123"}}'
    const own = new Mask(secretsOf(payload, new SecretKeys()), new SecretKeys())
    assert.equal(own.text('Authorization: Bearer sv-046x'), 'Authorization: [redacted]')
    assert.equal(own.text('a Bearer said sv-123'), 'a Bearer said [redacted]')
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
