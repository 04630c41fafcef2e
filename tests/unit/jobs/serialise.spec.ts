import { test } from '@japa/runner'
import { NotSerialisableError, resultToJson, toJson } from '../../../src/jobs/serialise.ts'

const circle: Record<string, unknown> = { name: 'a' }
circle.list = [{ circle }]

const deep: Record<string, unknown> = {}
let level = deep
for (let index = 0; index < 2_000; index++) level = level.next = {} as Record<string, unknown>

class Account {
  #balance = 5
  get balance() {
    return this.#balance
  }
}
class Saving extends Account {}

/** Of which no member is set. */
class Filter {
  declare limit?: number
}

class Itself {
  shown = 1
  toJSON() {
    return this
  }
}

test.group('Payloads and results as JSON', () => {
  test('refuses {name}, naming the place')
    .with([
      { name: 'a circle', value: circle, place: 'list[0].circle' },
      { name: 'a BigInt', value: { user: { id: 5n } }, place: 'user.id' },
      { name: 'a function', value: { list: [1, () => 1] }, place: 'list[1]' },
      { name: 'a symbol', value: { mark: Symbol('x') }, place: 'mark' },
      { name: 'NaN', value: { price: Number.NaN }, place: 'price' },
      { name: 'an infinity', value: [Number.NEGATIVE_INFINITY], place: '[0]' },
      { name: 'a map', value: { map: new Map([[1, 2]]) }, place: 'map' },
      { name: 'binary data', value: { file: Buffer.from('x').buffer }, place: 'file' },
      {
        name: 'an error',
        value: { why: new TypeError('x') },
        place: '"why" is an Error (give its',
      },
      { name: 'a response', value: [new Response('x')], place: '"[0]" is a Response (JSON keeps' },
      { name: 'a pattern', value: { like: /x/ }, place: '"like" is a RegExp' },
      { name: 'a generator', value: (function* () {})(), place: 'it is a Generator' },
      { name: 'a promise', value: { later: Promise.resolve(1) }, place: 'later' },
      {
        name: 'private fields',
        value: { from: new Account() },
        place: '"from" is an object of the class Account',
      },
      { name: 'private fields of a base', value: [new Saving()], place: '"[0]" is an object of' },
      {
        name: 'an object behind another',
        value: { to: Object.create({ hidden: 1 }) },
        place: '"to" is an object of',
      },
      {
        name: 'an invalid date',
        value: { at: new Date(Number.NaN) },
        place: '"at" is an invalid Date',
      },
      { name: 'what toJSON hides', value: { a: { toJSON: () => ({ b: 1n }) } }, place: 'a.b' },
      { name: 'too many levels', value: deep, place: 'levels' },
    ])
    .run(({ assert }, { value, place }) => {
      try {
        toJson(value)
      } catch (error) {
        assert.instanceOf(error, NotSerialisableError)
        assert.include((error as Error).message, place)
        return
      }
      assert.fail('It was written')
    })

  test('writes what JSON holds as JSON.stringify does', ({ assert }) => {
    const shared = { twice: true }
    const value = {
      at: new Date(0),
      left: undefined,
      list: [undefined, null, '\u0000', '\ud800'],
      first: shared,
      second: shared,
      number: 9_007_199_254_740_991,
      toJson: 'no method',
      boxed: [Object('text'), Object(7), Object(false)],
      itself: new Itself(),
      empty: [new Filter(), {}, Object.create(null)],
      tagged: { [Symbol.toStringTag]: 'Money', amount: 5 },
    }
    assert.equal(toJson(value), JSON.stringify(value))
    assert.equal(toJson('text'), '"text"')
  })

  test('undefined is an empty payload and a null result', ({ assert }) => {
    assert.equal(toJson(undefined), '{}')
    assert.equal(resultToJson(undefined), 'null')
    const nothing = { toJSON: () => undefined }
    assert.equal(toJson(nothing), '{}')
    assert.equal(resultToJson(nothing), 'null')
  })
})
