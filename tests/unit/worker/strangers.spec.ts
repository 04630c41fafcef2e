import { test } from '@japa/runner'
import { readClaim } from '../../../src/worker/claim.ts'
import { describeThrown, failedReason, isInstance } from '../../../src/worker/thrown.ts'

/** A proxy that refuses whatever it is asked. */
function refusing(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

test.group('What strangers wrote', () => {
  test('into options is read as far as it can be used', ({ assert }) => {
    const read = (opts: string) => readClaim(['work', null, opts], 'id', 'token')
    const hostile = [
      '',
      'null',
      '[]',
      '{',
      '{"qd":7}',
      '{"qd":{"user":{},"tags":"x","timeout":"soon"},"backoff":[],"attempts":"many"}',
      '{"qd":{"user":null,"tags":[1,{},null],"timeout":-1},"backoff":"x","attempts":-3}',
      '{"__proto__":{"attempts":9},"qd":{"__proto__":{"user":"evil"}},"attempts":null}',
    ]
    for (const opts of hostile) {
      const { user, tags, timeout, backoff, attempts } = read(opts)
      assert.deepEqual(
        [user, tags, timeout, backoff, attempts],
        [null, [], undefined, undefined, 1],
        opts
      )
    }
    const fine = read('{"attempts":3,"qd":{"user":"u","tags":["t",7],"timeout":50}}')
    assert.deepInclude(fine, { attempts: 3, user: 'u', tags: ['t'], timeout: 50 })
  })

  test('into a request to cancel is a request all the same', ({ assert }) => {
    for (const cr of ['', 'null', '7', '{', '{"by":7}']) {
      assert.isNotNull(
        readClaim(['work', ...Array(6).fill(null), cr], 'id', 'token').cancelRequest,
        cr
      )
    }
  })

  test('or threw always gets a message, and never throws again', ({ assert }) => {
    const loop = Object.assign(new Error('round'), { cause: undefined as unknown })
    loop.cause = loop
    const thrown = [
      refusing(),
      new Proxy(new Error('x'), {
        getPrototypeOf: () => {
          throw new Error('no')
        },
      }),
      Object.create(null),
      Object.assign(new Error('x'), { code: { toString: () => 'EVIL' } }),
      Object.defineProperty(new Error(), 'stack', {
        get: () => {
          throw new Error('no')
        },
      }),
      loop,
      Symbol('s'),
      Symbol('s'.repeat(100_000)),
      new AggregateError(Array.from({ length: 100_000 }, () => loop)),
      10n,
      Number.NaN,
      () => 1,
      new Error(`half \ud83d ${'x'.repeat(100_000)}`),
    ]
    for (const value of thrown) {
      const failure = describeThrown(value)
      assert.isNotEmpty(failure.message)
      assert.isAtMost(failure.message.length, 8_192)
      assert.isAtMost(failure.stack?.length ?? 0, 16_384)
      assert.isTrue(failedReason(failure).isWellFormed())
      assert.isNull(failure.code)
    }
    const many = new AggregateError([new Error('one, refused'), 'two', new TypeError('three')])
    many.errors.push(many)
    assert.equal(describeThrown(many).message, 'one, refused; two; three')
    assert.match(describeThrown(many).stack!, /caused by: Error: one, refused[^]+TypeError: three/)
    assert.match(describeThrown(' \n').message, /empty text/)
    assert.isFalse(isInstance(refusing(), Error))
    assert.isTrue(isInstance(new TypeError('x'), Error))
  })

  test('a code of another kind than ours is told in the message, once', ({ assert }) => {
    const told = (message: string, code: unknown) =>
      describeThrown(Object.assign(new Error(message), { code }))
    assert.deepInclude(told('no', 'E_NO'), { code: 'E_NO', message: 'no' })
    assert.deepInclude(told('duplicate key', 11000), {
      code: null,
      message: 'duplicate key (code 11000)',
    })
    assert.equal(told('duplicate key', '23505').message, 'duplicate key (code 23505)')
    assert.equal(told('took 230 ms', 23).message, 'took 230 ms (code 23)')
    assert.equal(told('answered 404: gone', 404).message, 'answered 404: gone')
    assert.equal(told('no', -1).message, 'no (code -1)')
    assert.match(told('x'.repeat(100_000), 7).message, /^x{8000,}… \(code 7\)$/)
    assert.equal(told('x'.repeat(100_000), 7).message.length, 8_192)
    for (const none of ['', ' ', '<b>', null, undefined, {}])
      assert.equal(told('no', none).message, 'no')
    assert.equal(describeThrown({ code: 7 }).message.match(/7/g)?.length, 1)
  })
})
