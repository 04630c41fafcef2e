import { test } from '@japa/runner'
import { Mirror } from '../../../src/mirror/mirror.ts'
import type { MirrorDependencies } from '../../../src/mirror/ports.ts'
import { Reconcile } from '../../../src/mirror/reconcile.ts'
import { StreamReader } from '../../../src/mirror/stream_reader.ts'
import type { Transport } from '../../../src/transport/transport.ts'
import { MemoryWriter } from '../../unit/mirror/memory_writer.ts'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab, silent } from './lab.ts'

/** Reads as the mirror does, but hands out nothing of a stream that is held. */
class SlowReader extends StreamReader {
  #held: string | undefined
  #opened = Promise.withResolvers<void>()

  hold(key: string): void {
    this.#held = key
  }

  open(): void {
    this.#held = undefined
    this.#opened.resolve()
  }

  async read(...args: Parameters<StreamReader['read']>) {
    const replies = await super.read(...args)
    if (replies.some(({ key }) => key === this.#held)) await this.#opened.promise
    return replies
  }
}

test.group('Mirror | facts that Redis gives late', () => {
  test('are compared once the stream has told all that was before them', async ({ assert }) => {
    const { url, host, port } = await redisServer()
    const lab = new Lab(url)
    const { transport, redis } = lab
    const writer = new MemoryWriter()
    const reader = new SlowReader({ host, port })
    const [id, other] = [await lab.add('a'), await lab.add('b')]

    let before: (() => Promise<void>) | undefined
    const audit = Object.create(transport.audit, {
      facts: {
        async value(...args: Parameters<Transport['audit']['facts']>) {
          const wait = before?.()
          before = undefined
          await wait
          return transport.audit.facts(...args)
        },
      },
    })
    const late = new Proxy(transport, {
      get(target, name) {
        if (name === 'audit') return audit
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const dependencies: MirrorDependencies = { transport: late, redis, writer, logger: silent }
    const mirror = new Mirror(dependencies, reader)
    const reconcile = new Reconcile(mirror, dependencies)
    const stopping = new AbortController()
    await mirror.watch(['a', 'b'])
    const running = [mirror.run(stopping.signal), reconcile.run(stopping.signal)]
    try {
      const positions = [...mirror.positions.values()]
      await waitFor('both queues to be compared', () =>
        positions.every(({ server, notes }) => server !== null && !notes.audit)
      )
      let isAnswered = false
      reader.hold(transport.keys.events('a'))
      before = async () => {
        const { reads } = mirror
        await transport.cancel('b', other, { by: 'ann', reason: 'no' })
        await waitFor('a read that finds nothing of a', () => positions[0].drained > reads)
        await transport.cancel('a', id, { by: 'ann', reason: 'no' })
        isAnswered = true
      }
      reconcile.ask('a', [id])
      await waitFor('Redis to be asked', () => isAnswered)
      await new Promise((resolve) => setTimeout(resolve, 300))
      reader.open()
      await waitFor('the end', () => writer.jobs.get(id)!.status === 'cancelled')
      assert.deepEqual(writer.kindsOf(id), ['added', 'cancelled'])
    } finally {
      reader.open()
      stopping.abort()
      await Promise.all(running)
      await lab.close()
    }
  })
})
