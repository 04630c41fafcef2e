import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from '@japa/runner'
import vine from '@vinejs/vine'
import type { Category } from '#services/documents/artifacts'
import { ProviderClassifier } from '#services/extraction/provider_classifier'
import type { Passage } from '#services/extraction/passages'
import { ProviderClient } from '#services/provider/provider_client'
import { retryAfter } from '#services/provider/retry_after'

const KEY = 'sk-secret-1234567890'

type Request = { headers: IncomingMessage['headers']; url?: string; body: any }
type Step = (response: ServerResponse, request: Request) => void

/** Answers as a provider does. */
const says =
  (content: string, usage: object = { prompt_tokens: 100, completion_tokens: 10 }): Step =>
  (response) =>
    response.end(JSON.stringify({ choices: [{ message: { content } }], usage }))
const status =
  (code: number, headers: Record<string, string> = {}, body = `no, says ${KEY}`): Step =>
  (response) =>
    response.writeHead(code, headers).end(body)

test.group('Provider', (group) => {
  let server: Server
  let steps: Step[]
  let requests: Request[]
  let waits: number[]

  group.each.setup(async () => {
    ;[steps, requests, waits] = [[], [], []]
    server = createServer(async (incoming, response) => {
      let body = ''
      for await (const piece of incoming) body += piece
      const request = { headers: incoming.headers, url: incoming.url, body: JSON.parse(body) }
      requests.push(request)
      const step = steps.shift() ?? status(500)
      step(response, request)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return () => {
      server.closeAllConnections()
      server.close()
    }
  })

  const client = (more: object = {}) =>
    new ProviderClient(
      {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`,
        key: KEY,
        model: 'small',
        timeout: 2_000,
        attempts: 4,
        prices: { input: 1, output: 10 },
        ...more,
      },
      () => 0.5,
      async (ms) => void waits.push(ms)
    )
  const schema = vine.create({ number: vine.number({ strict: true }).min(0).max(9) })
  const ask = (one = client(), signal = new AbortController().signal) =>
    one.ask({ system: 'Count', user: 'One?', schema }, signal)
  const failed = (asked: Promise<unknown>) =>
    asked.then(
      () => null,
      (reason) => reason
    )

  test('asks with its key and counts tokens and cost', async ({ assert }) => {
    steps = [says('```json\n{"number":1}\n```')]
    const one = client()
    assert.deepEqual(await ask(one), { number: 1 })
    assert.deepEqual(one.usage, {
      model: 'small',
      calls: 1,
      inputTokens: 100,
      outputTokens: 10,
      cost: 0.0002,
    })
    const [{ url, headers, body }] = requests
    assert.equal(url, '/v1/chat/completions')
    assert.equal(headers.authorization, `Bearer ${KEY}`)
    assert.deepInclude(body, { model: 'small', temperature: 0 })
    assert.isNull(client({ prices: null }).usage.cost)
  })

  test('comes again when it is busy, away or broken, as long as it is told to wait', async ({
    assert,
  }) => {
    steps = [
      status(429, { 'retry-after': '3' }),
      status(503),
      (response) => response.destroy(),
      says('{"number":2}'),
    ]
    assert.deepEqual(await ask(), { number: 2 })
    assert.deepEqual(waits, [3_000, 750, 1_500])
    waits = []
    steps = [status(429, { 'retry-after': '86400' }), says('{"number":3}')]
    await ask()
    assert.deepEqual(waits, [60_000])
  })

  test('gives up with a code, and never tells its key', async ({ assert }) => {
    const cases: [Step[], string, RegExp, number][] = [
      [
        [status(500), status(500), status(500), status(500)],
        'PROVIDER_AWAY',
        /answers 500: no, says \[key\]/,
        4,
      ],
      [[status(401)], 'PROVIDER_REFUSED', /refuses with 401: no, says \[key\]/, 1],
      [[(response) => response.destroy(), status(400)], 'PROVIDER_REFUSED', /refuses with 400/, 2],
      [
        Array.from({ length: 4 }, () => status(200, {}, `<html>${KEY}`)),
        'PROVIDER_ANSWER',
        /no completion: <html>\[key\]/,
        4,
      ],
      [
        Array.from({ length: 4 }, () => status(200, {}, 'x'.repeat(1_100_000))),
        'PROVIDER_AWAY',
        /cannot be reached/,
        4,
      ],
      [
        [status(302, { location: 'http://127.0.0.1:1/' })].concat([status(401)]),
        'PROVIDER_REFUSED',
        /401/,
        2,
      ],
      [[says('nothing'), says('{"number":99}')], 'PROVIDER_ANSWER', /cannot be used: .*number/, 2],
    ]
    for (const [some, code, words, calls] of cases) {
      steps = some
      requests = []
      const error = await failed(ask())
      assert.equal(error?.code, code)
      assert.match(error.message, words)
      assert.lengthOf(requests, calls, code)
      assert.notInclude(
        `${error.message} ${error.stack} ${error.cause ?? ''} ${JSON.stringify(error)}`,
        KEY
      )
    }
  })

  test('never tells a key with spaces around it, nor credentials in its address', async ({
    assert,
  }) => {
    steps = [status(401)]
    const refused = await failed(ask(client({ key: ` ${KEY}\n` })))
    assert.equal(requests[0].headers.authorization, `Bearer ${KEY}`)
    assert.match(refused.message, /refuses with 401: no, says \[key\]/)
    const away = await failed(
      ask(client({ url: 'http://me:word-of-mine@127.0.0.1:1/v1', attempts: 1 }))
    )
    assert.match(String(away.cause), /credentials/)
    assert.notInclude(`${away.stack} ${away.cause}`, 'word-of-mine')
  })

  test('sends back once what does not fit, with what is wrong', async ({ assert }) => {
    steps = [says('{"number":"one"}'), says('{"number":4}')]
    assert.deepEqual(await ask(), { number: 4 })
    const { messages } = requests[1].body
    assert.deepEqual(
      messages.map(({ role }: { role: string }) => role),
      ['system', 'user', 'assistant', 'user']
    )
    assert.match(messages[3].content, /number field must be a number/)
  })

  test('waits no longer than its limit, and ends at once with its signal', async ({ assert }) => {
    const silent: Step = () => {}
    steps = [silent]
    const late = await failed(ask(client({ timeout: 60, attempts: 1 })))
    assert.equal(late?.code, 'PROVIDER_AWAY')
    assert.match(late.message, /within 60 ms/)

    const controller = new AbortController()
    steps = [() => controller.abort(new Error('cancelled'))]
    const error = await failed(ask(client({ timeout: 60_000 }), controller.signal))
    assert.equal(error?.message, 'cancelled')
    assert.lengthOf(waits, 0)
  })

  test('reads how long it is told to wait', ({ assert }) => {
    const now = Date.UTC(2026, 10, 28)
    assert.equal(retryAfter('7', now), 7_000)
    assert.equal(retryAfter('Sat, 28 Nov 2026 00:00:05 GMT', now), 5_000)
    assert.equal(retryAfter('Fri, 27 Nov 2026 00:00:05 GMT', now), 0)
    assert.isNull(retryAfter('soon', now))
    assert.isNull(retryAfter(null, now))
  })

  test('falls back to the other classifier and says so', async ({ assert }) => {
    const categories = ['a', 'b'].map((id) => ({ id, terms: [] }) as unknown as Category)
    const passage = { text: 'What is it?' } as Passage
    const offline = { name: 'offline', classify: () => ({ best: 1, sure: () => 0.4 }) }
    const signal = new AbortController().signal
    const best = async (one: ProviderClassifier) => (await one.classify(passage, signal)).best

    steps = [
      says('{"category":"a","confidence":0.9}'),
      says('{"category":null,"confidence":0}'),
      says('{"category":"c","confidence":1}'),
      says('{"category":"c","confidence":1}'),
      says('{"category":"a","confidence":0.9}'),
    ]
    const one = new ProviderClassifier(categories, client(), offline)
    const opinion = await one.classify(passage, signal)
    assert.deepEqual([opinion.best, opinion.sure(0), opinion.sure(1)], [0, 0.9, 0])
    assert.deepEqual([await best(one), await best(one), await best(one)], [null, 1, 0])
    assert.deepEqual([one.fallbacks, one.problem?.code], [1, 'PROVIDER_ANSWER'])

    steps = [status(401)]
    requests = []
    const refused = new ProviderClassifier(categories, client(), offline)
    assert.deepEqual([await best(refused), await best(refused)], [1, 1])
    assert.equal(refused.fallbacks, 2)
    assert.lengthOf(requests, 1)
  })
})
