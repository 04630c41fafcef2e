import { test } from '@japa/runner'
import type { LogEntry } from '../../../src/transport/types.ts'
import { LogBuffer } from '../../../src/worker/log_buffer.ts'
import { FakeClock } from '../jobs/fake_clock.ts'

/** Lets the writes that were started settle. */
async function settle() {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

function setup(write?: (lines: LogEntry[]) => Promise<unknown>) {
  const clock = new FakeClock()
  const written: { at: number; lines: string[] }[] = []
  const errors: unknown[] = []
  const log = new LogBuffer(
    write ??
      (async (lines) => {
        written.push({ at: clock.now(), lines: lines.map(([, , text]) => text) })
      }),
    (error) => errors.push(error),
    clock
  )
  return { clock, written, errors, log }
}

test.group('Log buffer', () => {
  test('sends what comes within 200 ms together, in order', async ({ assert }) => {
    const { clock, written, log } = setup()
    log.push('info', 'one')
    clock.advance(150)
    log.push('info', 'two')
    clock.advance(49)
    await settle()
    assert.deepEqual(written, [])
    clock.advance(1)
    await settle()
    assert.deepEqual(written, [{ at: 200, lines: ['one', 'two'] }])
    assert.equal(clock.waiting, 0)
  })

  test('sends 200 lines at once, without waiting', async ({ assert }) => {
    const { clock, written, log } = setup()
    for (let line = 0; line < 450; line++) log.push('info', `${line}`)
    await settle()
    assert.deepEqual(
      written.map(({ at, lines }) => [at, lines.length]),
      [
        [0, 200],
        [0, 200],
      ]
    )
    clock.advance(200)
    await settle()
    assert.deepEqual(
      written.flatMap(({ lines }) => lines),
      Array.from({ length: 450 }, (_, line) => `${line}`)
    )
  })

  test('writes one at a time, and what came meanwhile after it', async ({ assert }) => {
    let open = 0
    let most = 0
    const sent: string[] = []
    const releases: (() => void)[] = []
    const { clock, log } = setup(async (lines) => {
      most = Math.max(most, ++open)
      sent.push(...lines.map(([, , text]) => text))
      await new Promise<void>((resolve) => releases.push(resolve))
      open--
    })
    log.push('info', 'one')
    clock.advance(200)
    log.push('info', 'two')
    clock.advance(1_000)
    await settle()
    assert.deepEqual(sent, ['one'])
    releases[0]()
    await settle()
    assert.deepEqual(sent, ['one', 'two'])
    log.push('info', 'three')
    const finished = log.finish()
    await settle()
    assert.deepEqual(sent, ['one', 'two'])
    releases[1]()
    await settle()
    releases[2]()
    await finished
    assert.deepEqual(sent, ['one', 'two', 'three'])
    assert.equal(most, 1)
  })

  test('finish sends the rest at once and takes no more', async ({ assert }) => {
    const { clock, written, log } = setup()
    for (let line = 0; line < 250; line++) log.push('info', `${line}`)
    await log.finish()
    log.push('info', 'late')
    clock.advance(1_000)
    await settle()
    assert.lengthOf(
      written.flatMap(({ lines }) => lines),
      250
    )
    assert.equal(clock.now(), 1_000)
    assert.isTrue(written.every(({ at }) => at === 0))
  })

  test('drop forgets what was not sent', async ({ assert }) => {
    const { clock, written, log } = setup()
    log.push('info', 'one')
    log.drop()
    clock.advance(1_000)
    await log.finish()
    assert.deepEqual(written, [])
    assert.equal(clock.waiting, 0)
  })

  test('goes on after a write that failed', async ({ assert }) => {
    const sent: string[] = []
    const { clock, errors, log } = setup(async ([[, , text]]) => {
      if (text === 'lost') throw new Error('Redis is away')
      sent.push(text)
    })
    log.push('info', 'lost')
    clock.advance(200)
    await settle()
    log.push('info', 'kept')
    await log.finish()
    assert.lengthOf(errors, 1)
    assert.deepEqual(sent, ['kept'])
  })

  test('keeps levels by number, cuts long lines, and ends after 10,000 of them, saying so', async ({
    assert,
  }) => {
    const lines: LogEntry[] = []
    const { log } = setup(async (some) => lines.push(...some))
    log.push('trace', 'x'.repeat(9_000))
    log.push('fatal', 'y')
    for (let line = 2; line < 10_500; line++) log.push('info', `${line}`)
    await log.finish()
    assert.deepEqual([lines[0][1], lines[1][1], lines[2][1]], [10, 60, 30])
    assert.lengthOf(lines[0][2], 8_192)
    assert.lengthOf(lines, 10_001)
    assert.match(lines.at(-1)![2], /More than 10000 lines/)
    assert.equal(lines.at(-1)![1], 40)
  })
})
