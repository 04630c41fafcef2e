import { test } from '@japa/runner'
import { type ClaimedJob, readClaim } from '../../../src/worker/claim.ts'
import type { ClaimScripts, Settled } from '../../../src/worker/claim_scripts.ts'
import { finalFailure, type Outcome } from '../../../src/worker/outcome.ts'
import { RedisTrouble } from '../../../src/worker/redis_trouble.ts'
import { backoffOf, Settlement } from '../../../src/worker/settlement.ts'
import { FakeClock } from '../jobs/fake_clock.ts'

const DONE: Settled = { next: null }

function claimed(opts: object = {}, fields: Record<string, string> = {}): ClaimedJob {
  const hash = { name: 'work', opts: JSON.stringify(opts), ...fields }
  return readClaim(Object.entries(hash).flat(), 'id', 'token')
}

const failed = (final = false): Outcome & { kind: 'failed' } => ({
  kind: 'failed',
  failure: { code: 'BROKEN', message: 'no', stack: 'at x' },
  final,
  error: new Error('no'),
})

/** A settlement whose writes are noted, and refused as often as `refusals` says. */
function setup(refusals = 0, random = () => 0) {
  const clock = new FakeClock()
  const writes: unknown[][] = []
  const logged: string[] = []
  const write =
    (name: string) =>
    async (_: ClaimedJob, ...rest: unknown[]) => {
      if (refusals-- > 0) throw new Error('OOM command not allowed')
      writes.push([name, ...rest])
      return DONE
    }
  const scripts = Object.fromEntries(
    ['complete', 'fail', 'retry', 'handBack'].map((name) => [name, write(name)])
  ) as unknown as ClaimScripts
  const note = (_: object, text: string) => void logged.push(text)
  const logger = { warn: note, info: note } as never
  const trouble = new RedisTrouble(logger, clock.now)
  return { clock, writes, logged, settlement: new Settlement(scripts, clock, trouble, random) }
}

async function settle() {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

test.group('Settlement', () => {
  test('writes each outcome by its own script', async ({ assert }) => {
    const { settlement, writes } = setup()
    const job = claimed()
    await settlement.settle(job, { kind: 'completed', result: '1' }, true)
    await settlement.settle(job, { kind: 'handed back' }, true)
    const failure = { code: 'CANCELLED', message: 'by u', stack: null }
    await settlement.settle(job, { kind: 'cancelled', failure }, false)
    await settlement.settle(job, failed(), true)
    assert.deepEqual(writes, [
      ['complete', '1', true],
      ['handBack'],
      ['fail', '[CANCELLED] by u', null, false],
      ['fail', '[BROKEN] no', 'at x', true],
    ])
  })

  test('repeats while attempts are left, with the backoff of the dispatch', async ({ assert }) => {
    const { settlement, writes } = setup()
    const opts = { attempts: 3, qd: { backoff: { type: 'exponential', delay: 400 } } }
    for (const atm of ['0', '1', '2']) {
      const job = claimed(opts, { atm })
      assert.equal(settlement.isFinal(job, failed()), atm === '2')
      await settlement.settle(job, failed(), true)
    }
    assert.deepEqual(
      writes.map(([name, , , delay]) => (name === 'retry' ? [name, delay] : [name])),
      [['retry', 400], ['retry', 800], ['fail']]
    )
  })

  test('repeats nothing that another attempt would not mend', async ({ assert }) => {
    const { settlement, writes } = setup()
    const outcome = finalFailure('UNKNOWN_TYPE', 'which?') as Outcome & { kind: 'failed' }
    const job = claimed({ attempts: 5 })
    assert.isTrue(settlement.isFinal(job, outcome))
    await settlement.settle(job, outcome, false)
    assert.deepEqual(writes, [['fail', '[UNKNOWN_TYPE] which?', null, false]])
  })

  test('takes jitter off, by the random number it is given', async ({ assert }) => {
    const { settlement, writes } = setup(0, () => 0.5)
    const backoff = { type: 'fixed', delay: 1_000, jitter: 0.4 }
    await settlement.settle(claimed({ attempts: 2, qd: { backoff } }), failed(), false)
    assert.equal(writes[0][3], 800)
  })

  test('tries again in growing waits while Redis takes nothing, and says so once', async ({
    assert,
  }) => {
    const { settlement, clock, writes, logged } = setup(4)
    const settled = settlement.settle(claimed(), { kind: 'completed', result: '1' }, false)
    const waits: number[] = []
    for (let turn = 0; turn < 4; turn++) {
      await settle()
      assert.equal(clock.waiting, 1)
      const before = clock.now()
      while (clock.waiting === 1 && writes.length === 0) {
        clock.advance(50)
        if (clock.now() - before > 2_000) break
        if (clock.waiting === 0) break
      }
      waits.push(clock.now() - before)
    }
    assert.deepEqual(await settled, DONE)
    assert.deepEqual(waits, [100, 300, 1_000, 1_000])
    assert.lengthOf(writes, 1)
    assert.lengthOf(
      logged.filter((line) => line.includes('cannot be used')),
      1
    )
    assert.match(logged.at(-1)!, /Redis is back/)
  })

  test('ends trying when told to, with what Redis said', async ({ assert }) => {
    const { settlement, clock, writes } = setup(1_000)
    const settled = settlement.settle(claimed(), { kind: 'completed', result: '1' }, false)
    const rejected = assert.rejects(() => settled, /OOM/)
    await settle()
    settlement.giveUp()
    await rejected
    assert.deepEqual([writes.length, clock.waiting], [0, 0])
  })

  test('reads the backoff of other producers, and trusts none of it', ({ assert }) => {
    const of = (backoff: unknown) => backoffOf(claimed({ backoff }))
    assert.deepEqual(of(250), { type: 'fixed', delay: 250 })
    assert.deepEqual(of(-5), { type: 'fixed', delay: 0 })
    assert.deepEqual(of({ type: 'exponential', delay: 3, jitter: 0.2 }), {
      type: 'exponential',
      delay: 3,
      jitter: 0.2,
    })
    assert.deepEqual(of({ type: 'fixed', delay: 'soon' }), { type: 'fixed', delay: 0, jitter: 0 })
    for (const unknown of [undefined, null, 'x', { type: 'custom', delay: 9 }]) {
      assert.equal(of(unknown).delay, 1_000)
    }
  })
})
