import { test } from '@japa/runner'
import { RedisTrouble } from '../../../src/worker/redis_trouble.ts'

test.group('RedisTrouble', () => {
  function watched() {
    const lines: string[] = []
    const note = (_: unknown, line: string) => void lines.push(line.split(/;| after/)[0])
    const clock = { now: 0 }
    const trouble = new RedisTrouble({ warn: note, info: note } as never, () => clock.now)
    return { lines, clock, trouble }
  }
  const gone = 'Redis cannot be used'
  const back = 'Redis is back'

  test('tells each outage and its end once', ({ assert }) => {
    const { lines, clock, trouble } = watched()
    for (const at of [0, 10_000, 20_000]) {
      clock.now = at
      for (let n = 0; n < 3; n++) trouble.noticed(new Error('away'))
      clock.now += 100
      assert.equal(trouble.lasting, 100)
      for (let n = 0; n < 3; n++) trouble.over()
      assert.isUndefined(trouble.lasting)
    }
    assert.deepEqual(lines, [gone, back, gone, back, gone, back])
  })

  test('tells of one that takes some commands and refuses others once a minute', ({ assert }) => {
    const { lines, clock, trouble } = watched()
    for (; clock.now < 119_000; clock.now += 500) {
      trouble.noticed(new Error('OOM'))
      clock.now += 500
      trouble.over()
    }
    assert.deepEqual(lines, [gone, back, gone, back])
  })
})
