import { test } from '@japa/runner'
import { CLAIM_FIELDS, type ClaimedJob, readClaim } from '../../../src/worker/claim.ts'
import type { ClaimScripts, Settled } from '../../../src/worker/claim_scripts.ts'
import { finalFailure, type Outcome } from '../../../src/worker/outcome.ts'
import { RedisTrouble } from '../../../src/worker/redis_trouble.ts'
import { Settlement } from '../../../src/worker/settlement.ts'
import { FakeClock } from '../jobs/fake_clock.ts'

const DONE: Settled = { next: null }
const yes = () => true
const no = () => false

function claimed(opts: object = {}, fields: Record<string, string> = {}): ClaimedJob {
  const hash: Record<string, string> = { name: 'work', opts: JSON.stringify(opts), ...fields }
  return readClaim(
    CLAIM_FIELDS.map((field) => hash[field] ?? null),
    'id',
    'token'
  )
}

const failed = (final = false): Outcome & { kind: 'failed' } => ({
  kind: 'failed',
  failure: { code: 'BROKEN', message: 'no', stack: 'at x' },
  final,
  error: new Error('no'),
})

/** A settlement whose writes are noted, and refused as often as `refusals` says. */
function setup(refusals = 0, random = () => 0, refusal = 'OOM command not allowed') {
  const clock = new FakeClock()
  const writes: unknown[][] = []
  const logged: string[] = []
  const write =
    (name: string) =>
    async (_: ClaimedJob, ...rest: unknown[]) => {
      if (refusals-- > 0) throw new Error(refusal)
      writes.push([name, ...rest.map((part) => (typeof part === 'function' ? part() : part))])
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
    await settlement.settle(job, { kind: 'completed', result: '1' }, yes)
    await settlement.settle(job, { kind: 'handed back' }, yes)
    const failure = { code: 'CANCELLED', message: 'by u', stack: null }
    await settlement.settle(job, { kind: 'cancelled', failure }, no)
    await settlement.settle(job, failed(), yes)
    assert.deepEqual(writes, [
      ['complete', '1', true],
      ['handBack'],
      ['fail', '[CANCELLED] by u', null, false],
      ['fail', '[BROKEN] no', 'at x', true],
    ])
  })

  test('repeats while attempts are left, with the backoff of the dispatch', async ({ assert }) => {
    const { settlement, writes } = setup()
    const opts = { attempts: 3, backoff: { type: 'exponential', delay: 400 } }
    for (const atm of ['0', '1', '2']) {
      const job = claimed(opts, { atm })
      assert.equal(settlement.isFinal(job, failed()), atm === '2')
      await settlement.settle(job, failed(), yes)
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
    await settlement.settle(job, outcome, no)
    assert.deepEqual(writes, [['fail', '[UNKNOWN_TYPE] which?', null, false]])
  })

  test('takes jitter off, by the random number it is given', async ({ assert }) => {
    const { settlement, writes } = setup(0, () => 0.5)
    const backoff = { type: 'fixed', delay: 1_000, jitter: 0.4 }
    await settlement.settle(claimed({ attempts: 2, backoff }), failed(), no)
    assert.equal(writes[0][3], 800)
  })

  test('tries again in growing waits while Redis takes nothing, and says so once', async ({
    assert,
  }) => {
    const { settlement, clock, writes, logged } = setup(4)
    const settled = settlement.settle(claimed(), { kind: 'completed', result: '1' }, no)
    const waits: number[] = []
    for (let turn = 0; turn < 4; turn++) {
      await settle()
      assert.equal(clock.waiting, 1)
      const before = clock.now()
      const isWaiting = () => clock.waiting === 1 && clock.now() - before <= 2_000
      while (isWaiting()) clock.advance(50)
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
    const settled = settlement.settle(claimed(), { kind: 'completed', result: '1' }, no)
    const rejected = assert.rejects(() => settled, /OOM/)
    await settle()
    settlement.giveUp()
    await rejected
    assert.deepEqual([writes.length, clock.waiting], [0, 0])
  })

  test('reads the backoff of other producers, and trusts none of it', ({ assert }) => {
    const of = (backoff: unknown) => claimed({ backoff }).backoff
    assert.deepEqual(of(250), { type: 'fixed', delay: 250 })
    assert.deepEqual(of(-5), { type: 'fixed', delay: 0 })
    assert.deepEqual(of({ type: 'exponential', delay: 3, jitter: 0.2 }), {
      type: 'exponential',
      delay: 3,
      jitter: 0.2,
    })
    assert.deepEqual(of({ type: 'fixed', delay: 'soon', jitter: 7, max: 'x' }), {
      type: 'fixed',
      delay: 0,
      jitter: 1,
    })
    for (const unknown of [undefined, null, 'x', { type: 'custom', delay: 9 }]) {
      assert.isUndefined(of(unknown))
    }
  })

  test('waits a whole number of ms that Redis takes, whatever was written', async ({ assert }) => {
    const written = [
      '{"type":"fixed","delay":1e999}',
      '{"type":"exponential","delay":1e300,"jitter":-4,"max":1e999}',
      '"soon"',
      '{"type":"exponential","delay":{}}',
      '[]',
    ]
    for (const backoff of written) {
      const { settlement, writes } = setup()
      const opts = `{"attempts":2,"backoff":${backoff}}`
      const job = readClaim(['work', null, opts, null, '0'], 'id', 'token')
      await settlement.settle(job, failed(), no)
      const delay = writes[0][3] as number
      assert.isTrue(Number.isSafeInteger(delay) && delay >= 0 && delay < 1e12, `${opts}: ${delay}`)
    }
  })

  test('does not hold a job for ever whose end Redis will never take', async ({ assert }) => {
    const { settlement, clock } = setup(1_000, undefined, 'ERR the script has a fault')
    const settled = settlement.settle(claimed(), { kind: 'completed', result: '1' }, no)
    const rejected = assert.rejects(() => settled, /fault/)
    for (let turn = 0; turn < 40; turn++) {
      await settle()
      clock.advance(1_000)
    }
    await rejected
    assert.isBelow(clock.waiting, 1)
  })
})
