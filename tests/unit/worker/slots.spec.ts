import { test } from '@japa/runner'
import { Slots } from '../../../src/worker/slots.ts'

type Holder = { name: string; held: number }
const holder = (name: string): Holder => ({ name, held: 0 })

/** Lets promises that were resolved be noticed. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

test.group('Slots', () => {
  test('are never more than there are, and go to those that wait in turn', async ({ assert }) => {
    const slots = new Slots(2)
    const [a, b] = [holder('a'), holder('b')]
    assert.isTrue(slots.tryAcquire(a))
    assert.isTrue(slots.tryAcquire(b))
    assert.isFalse(slots.tryAcquire(a))
    const order: string[] = []
    void slots.acquire(b).then(() => order.push('b'))
    void slots.acquire(a).then(() => order.push('a'))
    await settle()
    assert.deepEqual(order, [])
    slots.release(a)
    await settle()
    /** The one with fewer slots, although it came later. */
    assert.deepEqual(order, ['a'])
    slots.release(b)
    await settle()
    assert.deepEqual(order, ['a', 'b'])
    assert.deepEqual([slots.used, slots.free, a.held, b.held], [2, 0, 1, 1])
  })

  test('nobody passes by those that wait', async ({ assert }) => {
    const slots = new Slots(1)
    const [a, b] = [holder('a'), holder('b')]
    slots.tryAcquire(a)
    const waiting = slots.acquire(b)
    slots.release(a)
    assert.isFalse(slots.tryAcquire(a))
    assert.isTrue(await waiting)
  })

  test('a queue goes on with its slot unless one with fewer waits', ({ assert }) => {
    let now = 0
    const slots = new Slots(4, 20, () => now)
    const [a, b] = [holder('a'), holder('b')]
    for (let taken = 0; taken < 4; taken++) slots.tryAcquire(a)
    assert.isTrue(slots.mayContinue(a))
    void slots.acquire(b)
    assert.isFalse(slots.mayContinue(a))
    slots.release(a)
    assert.deepEqual([a.held, b.held], [3, 1])
    void slots.acquire(b)
    assert.isFalse(slots.mayContinue(a))
    slots.release(a)
    assert.deepEqual([a.held, b.held], [2, 2])
    assert.isTrue(slots.mayContinue(a))
  })

  test('an odd slot changes hands by time, the only one at once', ({ assert }) => {
    let now = 0
    const odd = new Slots(3, 20, () => now)
    const [a, b] = [holder('a'), holder('b')]
    odd.tryAcquire(a)
    odd.tryAcquire(a)
    odd.tryAcquire(b)
    void odd.acquire(b)
    assert.isTrue(odd.mayContinue(a))
    now = 21
    assert.isFalse(odd.mayContinue(a))

    const only = new Slots(1, 20, () => now)
    const [c, d] = [holder('c'), holder('d')]
    only.tryAcquire(c)
    void only.acquire(d)
    assert.isFalse(only.mayContinue(c))
  })

  test('closing tells all that wait no, and those that come later', async ({ assert }) => {
    const slots = new Slots(1)
    const a = holder('a')
    slots.tryAcquire(a)
    const waiting = [slots.acquire(holder('b')), slots.acquire(holder('c'))]
    slots.close()
    assert.deepEqual(await Promise.all(waiting), [false, false])
    slots.release(a)
    assert.isFalse(await slots.acquire(a))
    assert.isFalse(slots.tryAcquire(a))
    assert.isFalse(slots.mayContinue(a))
  })

  test('a queue that is forgotten waits no longer, the others do', async ({ assert }) => {
    const slots = new Slots(1)
    const [a, b, c] = [holder('a'), holder('b'), holder('c')]
    slots.tryAcquire(a)
    const [gone, staying] = [slots.acquire(b), slots.acquire(c)]
    slots.forget(b)
    assert.isFalse(await gone)
    slots.release(a)
    assert.isTrue(await staying)
  })

  test('while paused nobody gets one; afterwards those that wait do', async ({ assert }) => {
    const slots = new Slots(2)
    const [a, b] = [holder('a'), holder('b')]
    slots.tryAcquire(a)
    slots.pause()
    assert.isFalse(slots.tryAcquire(b))
    assert.isFalse(slots.mayContinue(a))
    const waiting = slots.acquire(b)
    slots.release(a)
    await settle()
    assert.deepEqual([slots.used, b.held], [0, 0])
    slots.resume()
    assert.isTrue(await waiting)
    assert.equal(b.held, 1)
  })

  test('a limit of claims counts jobs, not looks that found none', async ({ assert }) => {
    const slots = new Slots(5)
    const a = holder('a')
    let exhausted = 0
    slots.limitClaims(2, () => exhausted++)
    assert.isTrue(slots.tryAcquire(a))
    slots.release(a, true)
    assert.isTrue(slots.tryAcquire(a))
    assert.isTrue(slots.tryAcquire(a))
    assert.isFalse(slots.tryAcquire(a))
    slots.claimed(true)
    await settle()
    assert.equal(exhausted, 0)
    slots.release(a, true)
    assert.isTrue(slots.mayContinue(a))
    slots.claimed(false)
    assert.isTrue(slots.tryAcquire(a))
    slots.claimed(true)
    await settle()
    assert.equal(exhausted, 1)
    assert.isFalse(slots.mayContinue(a))
  })
})
