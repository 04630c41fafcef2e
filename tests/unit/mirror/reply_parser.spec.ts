import { test } from '@japa/runner'
import { ReplyError, ReplyParser, type Reply } from '../../../src/mirror/reply_parser.ts'
import { stopwatch } from '#tests/helpers/stopwatch'

const bulk = (text: string) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`
const array = (items: string[]) => `*${items.length}\r\n${items.join('')}`
const entry = (id: string, fields: string[]) => array([bulk(id), array(fields.map(bulk))])

const BIG = 'ü😀x'.repeat(60_000)
const ANSWER = array([
  array([
    bulk('{p}:a:events'),
    array([
      entry('1-0', ['event', 'added', 'jobId', 'ä', 'data', '{"s":"😀\\u0000"}', '', '']),
      entry('1-1', ['event', 'drained']),
      entry('2-0', ['event', 'completed', 'jobId', '1', 'returnvalue', BIG, 'evant', 'other']),
    ]),
  ]),
  array([bulk('{p}:b:events'), array([entry('3-7', ['event', 'log', 'lines', '\r\n$5\r\n'])])]),
])
const EXPECTED = [
  {
    key: '{p}:a:events',
    entries: [
      {
        id: '1-0',
        fields: { 'event': 'added', 'jobId': 'ä', 'data': '{"s":"😀\\u0000"}', '': '' },
      },
      { id: '1-1', fields: { event: 'drained' } },
      {
        id: '2-0',
        fields: { event: 'completed', jobId: '1', returnvalue: BIG, evant: 'other' },
      },
    ],
  },
  {
    key: '{p}:b:events',
    entries: [{ id: '3-7', fields: { event: 'log', lines: '\r\n$5\r\n' } }],
  },
]

function parse(bytes: Buffer, sizes: (at: number) => number): (Reply | ReplyError)[] {
  const parser = new ReplyParser()
  const replies: (Reply | ReplyError)[] = []
  for (let at = 0; at < bytes.length;) {
    const size = sizes(at)
    replies.push(...parser.feed(bytes.subarray(at, at + size)))
    at += size
  }
  return replies
}

test.group('Reply parser', () => {
  test('reads an answer that arrives at once', ({ assert }) => {
    assert.deepEqual(
      parse(Buffer.from(ANSWER), () => Infinity),
      [EXPECTED]
    )
  })

  test('reads an answer that is cut at every byte', ({ assert }) => {
    const small = ANSWER.replace(bulk(BIG), bulk('ü😀'))
    const expected = JSON.parse(JSON.stringify(EXPECTED).replace(JSON.stringify(BIG), '"ü😀"'))
    const bytes = Buffer.from(small)
    assert.deepEqual(
      parse(bytes, () => 1),
      [expected]
    )
    for (let cut = 1; cut < bytes.length; cut++) {
      assert.deepEqual(
        parse(bytes, (at) => (at === 0 ? cut : Infinity)),
        [expected],
        `cut after ${cut}`
      )
    }
  })

  test('reads a large value in chunks without copying it for each of them', ({ assert }) => {
    const value = 'x'.repeat(30_000_000)
    const bytes = Buffer.from(
      array([array([bulk('k'), array([entry('1-0', ['event', 'added', 'data', value])])])])
    )
    const from = stopwatch()
    const [reply] = parse(bytes, () => 16_384) as unknown as [
      { entries: { fields: { data: string } }[] }[],
    ]
    assert.equal(reply[0].entries[0].fields.data.length, value.length)
    assert.isBelow(from(), 2_000)
  })

  test('tells answers without entries, simple answers and errors apart', ({ assert }) => {
    const bytes = Buffer.from(`*-1\r\n+OK\r\n-LOADING wait a moment\r\n*0\r\n${ANSWER}`)
    for (const size of [1, 7, Infinity]) {
      const [nil, ok, error, empty, last] = parse(bytes, () => size)
      assert.isNull(nil)
      assert.equal(ok, 'OK')
      assert.instanceOf(error, ReplyError)
      assert.equal((error as ReplyError).message, 'LOADING wait a moment')
      assert.deepEqual(empty, [])
      assert.deepEqual(last, EXPECTED)
    }
  })

  test('survives entries that were deleted and fields without names', ({ assert }) => {
    const bytes = Buffer.from(
      array([
        array([bulk('k'), array([])]),
        array([bulk('l'), array([entry('1-0', ['__proto__', 'x'])])]),
      ])
    )
    const [reply] = parse(bytes, () => 3) as [{ key: string; entries: unknown[] }[]]
    assert.deepEqual(
      reply.map(({ key, entries }) => [key, entries.length]),
      [
        ['k', 0],
        ['l', 1],
      ]
    )
  })
})
