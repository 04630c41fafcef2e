import { test } from '@japa/runner'
import { JobTexts } from '../../../src/dashboard/redaction/job_texts.ts'
import {
  joinJson,
  JsonText,
  splitJson,
  toJson,
} from '../../../src/dashboard/redaction/json_text.ts'
import { Mask, redactJson } from '../../../src/dashboard/redaction/redact.ts'
import { SecretKeys } from '../../../src/dashboard/redaction/secret_keys.ts'
import { stopwatch } from '#tests/helpers/stopwatch'

const keys = new SecretKeys(['iban2'])
const JOB = { id: 'one', createdAt: 1, run: 1, sensitive: false }

test.group('Secret keys', () => {
  test('{$self} is one')
    .with([
      'password',
      'PASSWORD',
      'userPassword',
      'db_password',
      'api-key',
      'apiKey',
      'x-api-key',
      'API KEY',
      'aws_secret_access_key',
      'client_secret',
      'Authorization',
      'access_token',
      'refreshToken',
      'csrf.token',
      'privateKey',
      'cvv',
      'pin',
      'Set-Cookie',
      'iban2',
      'IBAN_2',
      'DB_PASS',
      'smtpPass',
      'user_pass2',
      'passcode',
      'x_auth',
      'token2',
      'userPin',
      'ｐassword',
    ])
    .run(({ assert }, key) => {
      assert.isTrue(keys.has(key))
    })

  test('{$self} is none')
    .with([
      'user',
      'key',
      'keyword',
      'author',
      'spin',
      'bypass',
      'oauth2',
      'tokenizer2',
      'pinned',
      'compass',
      'tokenizer',
      'passenger',
      'monkey',
      '',
    ])
    .run(({ assert }, key) => {
      assert.isFalse(keys.has(key))
    })

  test('a number of tokens is a count, a text of tokens is a secret', ({ assert }) => {
    assert.isFalse(keys.has('maxTokens', true))
    assert.isTrue(keys.has('tokens', false))
  })
})

test.group('Redaction of JSON', () => {
  test('{0}')
    .with([
      ['{"password":"p"}', '{"password":"[redacted]"}'],
      ['{"a":[{"b":{"apiKey":"k"}}]}', '{"a":[{"b":{"apiKey":"[redacted]"}}]}'],
      ['{"secret":{"deep":["x",{"y":1}]},"z":2}', '{"secret":"[redacted]","z":2}'],
      ['{"secret":[]}', '{"secret":"[redacted]"}'],
      ['{"pass\\u0077ord":"p"}', '{"pass\\u0077ord":"[redacted]"}'],
      ['{"password":null,"n":1.10}', '{"password":"[redacted]","n":1.10}'],
      ['{"a":1970670598291982291}', '{"a":1970670598291982291}'],
      ['[1,"password","x"]', '[1,"password","x"]'],
    ] as [string, string][])
    .run(({ assert }, [text, redacted]) => {
      assert.equal(redactJson(text, keys).text, redacted)
    })

  test('a text that is no JSON loses what looks like a secret', ({ assert }) => {
    const { text } = redactJson('password=p-111&user=ada Authorization: Bearer t-3333333', keys)
    assert.notInclude(text, 'p-111')
    assert.notInclude(text, 't-3333333')
    assert.include(text, 'ada')
  })

  test('is the same document whatever its form, and is never slow', ({ assert }) => {
    const big = JSON.stringify({
      list: Array.from({ length: 20_000 }, (_, n) => ({ n, text: `item ${n}`, ok: true })),
    })
    const started = stopwatch()
    const { text } = redactJson(big, keys)
    assert.isBelow(started(), 15_000)
    assert.equal(text, big)
  })
})

test.group('Masks', () => {
  const mask = (...secrets: string[]) => new Mask(secrets, keys)

  test('hide a secret as it is, in JSON, in JSON within JSON, and in an address', ({ assert }) => {
    const secret = 'a"b\\c d\n'
    const once = JSON.stringify(secret)
    for (const text of [secret, once, JSON.stringify(once), encodeURIComponent(secret)]) {
      const shown = mask(secret).text(`before ${text} after`)
      assert.include(shown, '[redacted]', text)
      assert.match(shown, /^before .*after$/s)
      assert.notInclude(shown, 'b\\\\c')
    }
  })

  test('hide the beginning of a secret with which a text was cut', ({ assert }) => {
    const hidden = mask('hunter2-log', 'hunter3', 'a"b\nc', 'aab')
    for (const [text, shown] of [
      ['login with hunter2-l…', 'login with [redacted]…'],
      ['login with hunter2-log…', 'login with [redacted]…'],
      ['hunter3 hun…', '[redacted] [redacted]…'],
      ['{"a":"a\\"b\\n…', '{"a":"[redacted]…'],
      ['aaaab…', 'aa[redacted]…'],
      ['…hunt…', '…[redacted]…'],
      ['login with hu…', 'login with hu…'],
      ['login with hunger…', 'login with hunger…'],
      ['a hunt', 'a hunt'],
      ['…', '…'],
    ]) {
      assert.equal(hidden.text(text), shown)
    }
    const started = stopwatch()
    mask('a'.repeat(4_000) + 'b').text('a'.repeat(300_000) + '…')
    assert.isBelow(started(), 1_500)
  })

  test('hide secrets of any length', ({ assert }) => {
    const key = Array.from({ length: 30_000 }, (_, n) => n.toString(36)).join('-')
    const hidden = mask(key, `${key}+`, 'p-111')
    assert.equal(hidden.text(`${key}, ${key}+, p-111`), '[redacted], [redacted], [redacted]')
    const stored = JSON.stringify({ text: `of ${key}` })
    assert.equal(hidden.json(stored).text, '{"text":"of [redacted]"}')
  })

  test('take the longest first, and numbers as wholes', ({ assert }) => {
    assert.equal(mask('abc', 'abcdef').text('abcdef abc'), '[redacted] [redacted]')
    assert.equal(mask('4711').text('147112 4711'), '147112 [redacted]')
  })

  test('hide what looks like a secret in a log line', ({ assert }) => {
    for (const [line, secret] of [
      ['password: hunter22', 'hunter22'],
      ['{"apiKey": "k-12345"}', 'k-12345'],
      ["{ apiKey: 'k-12345' }", 'k-12345'],
      ['Authorization: Bearer abcdef.ghi', 'abcdef.ghi'],
      ['postgres://ada:p4ss@db/x', 'p4ss'],
      ['access_token=xyz-987&a=1', 'xyz-987'],
      ['apiKey => "a \\"k-12345"', 'k-12345'],
      ['password="hunter22…', 'hunter22'],
      ['{"text":{"tokens":["k-1"],"pin":4711}}', '4711'],
    ]) {
      assert.notInclude(mask().text(line), secret)
    }
    assert.equal(mask().text('page 4 of 10, tokens=512'), 'page 4 of 10, tokens=512')
  })

  test('hide what looks like a secret within what looks like the value of another key', ({
    assert,
  }) => {
    for (const [line, shown] of [
      ['Retrying: password=hunter2', 'Retrying: password=[redacted]'],
      [
        'GET https://api.example.com/v1/items?api_key=hunter2&page=2',
        'GET https://api.example.com/v1/items?api_key=[redacted]&page=2',
      ],
      ['body: "token=hunter2"', 'body: "token=[redacted]"'],
      [
        'Error: GET https://example.com/?access_token=hunter2 failed',
        'Error: GET https://example.com/?access_token=[redacted] failed',
      ],
      ['tokens=5 env=\'password: "hunter2"\'', 'tokens=5 env=\'password: "[redacted]"\''],
      ['a: b: c: d, password: "[redacted]"', 'a: b: c: d, password: "[redacted]"'],
    ]) {
      assert.equal(mask().text(line), shown)
    }
  })

  test('are linear in the text', ({ assert }) => {
    for (const piece of [
      'a:',
      'a="',
      '"a\\',
      'bearer ',
      'x://',
      'x://a:',
      'password=',
      "='",
      'a.a-',
      'ab:',
      'ab="',
      'password="\\"',
      `password="[redacted]password='`,
      'tokens:1',
    ]) {
      const started = stopwatch()
      mask('secret').text(piece.repeat(100_000))
      assert.isBelow(started(), 1_500, piece)
    }
  })
})

test.group('Texts of a job', () => {
  test('mask in logs and errors what the payload hides', async ({ assert }) => {
    const texts = new JobTexts(keys, async () => null)
    const body = {
      payload: '{"user":{"password":"p-111"}}',
      options: null,
      result: '{"token":"t-333"}',
    }
    const text = texts.make(JOB, body)
    assert.equal(text.line('login with p-111 gave t-333'), 'login with [redacted] gave [redacted]')
    assert.deepEqual(text.error({ code: 'X', message: 'p-111', stack: 'at p-111' }), {
      code: 'X',
      message: '[redacted]',
      stack: 'at [redacted]',
    })
    assert.notInclude(text.preview!, 'p-111')
  })

  test('begin with the payload, without secrets wherever it quotes them', ({ assert }) => {
    for (const [payload, preview] of [
      [
        '{"note":"uses p-111","password":"p-111"}',
        '{"note":"uses [redacted]","password":"[redacted]"}',
      ],
      ['{"note":"uses t-333"}', '{"note":"uses [redacted]"}'],
      ['{"password":null}', '{"password":"[redacted]"}'],
      ['password=p-111&n=1', 'password=[redacted]&n=1'],
    ]) {
      const body = { payload, options: null, result: '{"token":"t-333"}' }
      const text = new JobTexts(keys, async () => null).make(JOB, body)
      assert.equal(text.preview, preview)
    }
  })

  test('of a sensitive job are hidden whole, but not its code', ({ assert }) => {
    const text = new JobTexts(keys, async () => null).make({ ...JOB, sensitive: true }, null)
    assert.equal(text.line('anything'), '[redacted]')
    assert.equal(text.line(''), '')
    assert.isNull(text.preview)
    assert.equal(text.error({ code: 'TIMED_OUT', message: 'm' })!.code, 'TIMED_OUT')
  })

  test('remember a payload once it is there, and ask once', async ({ assert }) => {
    let asked = 0
    let payload: string | null = null
    const texts = new JobTexts(keys, async () => {
      asked++
      return { payload, options: null, result: null }
    })
    const job = [JOB]
    await texts.forJobs(job)
    payload = '{"password":"p-111"}'
    assert.equal((await texts.forJobs(job)).get('one')!.line('p-111'), '[redacted]')
    await texts.forJobs(job)
    assert.equal(asked, 2)
  })

  test('of a job whose id was another one before are its own: {$self}')
    .with([{ createdAt: 2 }, { run: 2 }])
    .run(async ({ assert }, change) => {
      let payload = '{"password":"p-111"}'
      const texts = new JobTexts(keys, async () => ({ payload, options: null, result: null }))
      await texts.forJobs([JOB])
      payload = '{"password":"p-222"}'
      const again = { ...JOB, ...change }
      assert.isNull(texts.known(again))
      const text = (await texts.forJobs([again])).get('one')!
      assert.equal(text.line('p-111 and p-222'), 'p-111 and [redacted]')
      assert.equal(texts.known(again), text)
      assert.isNull(texts.known(JOB))
    })
})

test.group('Texts of a job, looked through for secret keys', () => {
  const make = (payload: string, result: string | null = null) =>
    new JobTexts(keys, async () => null).make(JOB, { payload, options: null, result })

  test('take time linear in the text, whatever is quoted in it', ({ assert }) => {
    for (const text of [
      JSON.stringify({ markdown: 'He said "x" and left. '.repeat(18_000) }),
      '"' + '\\"'.repeat(200_000),
      '"' + '\\"'.repeat(200_000) + '\\',
      '"' + '\\"'.repeat(200_000) + '\\\n',
      `["${'"," '.repeat(100_000)}"]`,
      `""${' '.repeat(400_000)}`,
    ]) {
      // A quadratic look takes a minute.
      const took = stopwatch()
      make(text, text)
      assert.isBelow(took(), 1_500, text.slice(0, 30))
    }
  })

  test('{0}')
    .with([
      ['{"text":"a \\"b\\": c","password" : "p-111"}', true],
      ['{"a\\"b":[{"pass\\u0077ord":"p-111"}]}', true],
      ['{"text":"\\\\","password":"p-111"}', true],
      ['{"text":"the \\"password\\": p-111"}', false],
      ['["password","p-111"]', false],
    ] as [string, boolean][])
    .run(({ assert }, [payload, hides]) => {
      const line = 'login with p-111'
      assert.equal(make(payload).line(line), hides ? 'login with [redacted]' : line)
    })
})

test.group('JSON texts', () => {
  test('split and joined, {$self} is the same')
    .with(['{}', '[]', '"a\\"b"', '-1.5e+10', '{"a":[true,false,null,{"b":"c"}]}', '[[[]]]'])
    .run(({ assert }, text) => {
      assert.equal(joinJson(splitJson(text)!), text)
    })

  test('{$self} is no JSON')
    .with([
      '',
      ' ',
      '{',
      '}',
      '{"a"}',
      '{"a":1,}',
      '[1,]',
      '01',
      '1 2',
      "{'a':1}",
      '"a',
      'nul',
      '[1}',
      '{"a":1]',
      '"\n"',
    ])
    .run(({ assert }, text) => {
      assert.isNull(splitJson(text))
    })

  test('stand in an answer with their own digits, and can forge nothing', ({ assert }) => {
    const json = toJson({
      a: new JsonText('{"n":1970670598291982291}'),
      b: new JsonText('no json'),
      c: 'raw:0:0',
    })
    assert.equal(json, '{"a":{"n":1970670598291982291},"b":"no json","c":"raw:0:0"}')
  })
})
