import { test } from '@japa/runner'
import { type Bounded, Deadlines } from '../../../src/time/deadlines.ts'
import { FakeClock } from '../jobs/fake_clock.ts'

const DAY = 86_400_000

function setup() {
  const clock = new FakeClock()
  const running = new Set<Bounded>()
  const late: string[] = []
  const deadlines = new Deadlines(() => running, clock)
  const start = (name: string, deadline: number) => {
    const bounded = {
      deadline,
      overdue: () => {
        late.push(`${name} ${clock.now()}`)
        running.delete(bounded)
      },
    }
    running.add(bounded)
    deadlines.watch(deadline)
    return () => running.delete(bounded)
  }
  return { clock, running, late, deadlines, start }
}

test.group('Deadlines', () => {
  test('each is told when its own time is over, whatever the order they came in', ({ assert }) => {
    const { clock, late, start } = setup()
    start('long', 900)
    start('short', 100)
    start('middle', 500)
    clock.advance(99)
    assert.deepEqual(late, [])
    clock.advance(1_000)
    assert.deepEqual(late, ['short 100', 'middle 500', 'long 900'])
    assert.equal(clock.waiting, 0)
  })

  test('what has ended hears nothing, and holds no timer once the others have', ({ assert }) => {
    const { clock, late, start } = setup()
    const end = start('ended', 100)
    start('other', 300)
    end()
    clock.advance(1_000)
    assert.deepEqual(late, ['other 300'])
    assert.equal(clock.waiting, 0)
  })

  test('one timer serves any number', ({ assert }) => {
    const { clock, start, late } = setup()
    for (let job = 0; job < 500; job++) start(`${job}`, 1_000 + ((job * 7) % 500))
    assert.equal(clock.waiting, 1)
    clock.advance(2_000)
    assert.lengthOf(late, 500)
  })

  test('wait for 60 days without a longer timer than the platform holds', ({ assert }) => {
    const { clock, late, start } = setup()
    start('patient', 60 * DAY)
    clock.advance(60 * DAY - 1)
    assert.deepEqual(late, [])
    clock.advance(1)
    assert.deepEqual(late, [`patient ${60 * DAY}`])
    assert.isAtMost(clock.longestDelay, 2_147_483_647)
  })

  test('stop, and can be used again', ({ assert }) => {
    const { clock, late, deadlines, start, running } = setup()
    start('stopped', 100)
    deadlines.stop()
    clock.advance(1_000)
    assert.deepEqual(late, [])
    running.clear()
    start('again', 1_500)
    clock.advance(1_000)
    assert.deepEqual(late, ['again 1500'])
  })
})
