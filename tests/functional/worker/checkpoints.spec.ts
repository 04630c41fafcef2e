import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import type { JobOptions } from '../../../src/types.ts'
import { redisServer } from '#tests/helpers/servers'
import { WorkerLab } from './lab.ts'

type Payload = { failures: number; fill?: 'count' | 'bytes' }

/** Fails as often as it is told, and answers what it found in each attempt. */
class Keeper extends Job<Payload, unknown> {
  static options: JobOptions = {
    name: 'keeper',
    attempts: 3,
    backoff: { type: 'fixed', delay: 1 },
  }

  async execute() {
    const found = { ...this.checkpoints }
    await this.checkpoint(`attempt ${this.attempt}`, { place: this.attempt, text: 'ü\u0000' })
    await this.checkpoint('__proto__', [null, this.attempt])
    if (this.attempt <= this.payload.failures) throw new Error('not yet')
    const refused = this.payload.fill && (await this.#fill(this.payload.fill))
    return { found, own: { ...this.checkpoints }, refused }
  }

  async #fill(what: 'count' | 'bytes') {
    const value = what === 'bytes' ? 'x'.repeat(200_000) : 0
    for (let n = 0; n < 2_000; n++) {
      try {
        await this.checkpoint(`n${n}`, value)
      } catch (error) {
        /** A name that is there already may always be given again. */
        await this.checkpoint('n0', 1)
        return [n, (error as Error).message]
      }
    }
    return null
  }
}

const withoutFunctions = [false, true]

test.group('Checkpoints', (group) => {
  let url: string
  group.setup(async () => {
    url = (await redisServer()).url
  })

  for (const plain of withoutFunctions) {
    test(`are kept through retries and cleared by a restart, ${plain ? 'by EVALSHA' : 'by functions'}`, async ({
      assert,
    }) => {
      const lab = new WorkerLab(url, [Keeper], {}, undefined, { withoutFunctions: plain })
      try {
        await lab.start()
        const id = await lab.dispatch(Keeper, { failures: 2 })
        const job = await lab.ended(id)
        const { found, own } = JSON.parse(job.returnvalue)
        const at = (place: number) => ({ place, text: 'ü\u0000' })
        const first = { 'attempt 1': at(1), 'attempt 2': at(2) }
        assert.deepEqual(Object.entries(found).sort(), [
          ...[['__proto__', [null, 2]]],
          ...Object.entries(first),
        ])
        assert.equal(Object.keys(own).length, 4)
        assert.match(job.cp, /^4 \d+ \d+ __proto__$/)
        const entries = (await lab.entriesOf()).filter(({ event }) => event === 'checkpoint')
        assert.deepEqual([entries.length, entries.at(-1)!.cp], [6, job.cp])

        const never = await lab.dispatch(Keeper, { failures: 3 })
        assert.match((await lab.ended(never)).cp, /^4 /)
        const source = await lab.job(never)
        const restart = { by: 'ann', run: 2, job: { id: never, queue: 'default', name: 'keeper' } }
        const { data, opts } = source
        const waiting = { ...restart.job, data, opts: JSON.parse(opts) }
        await lab.redis.hset(lab.transport.keys.job('default', never), 'data', '{"failures":0}')
        const answer = await lab.transport.restart('default', never, {
          ...restart,
          job: waiting as never,
        })
        assert.equal(answer.outcome, 'done')
        const again = await lab.ended(never)
        const second = JSON.parse(again.returnvalue)
        assert.deepEqual([again.ats, second.found], ['1', {}])
        assert.notProperty(again, 'c:attempt 2')
        assert.match(again.cp, /^2 /)
      } finally {
        await lab.close()
      }
    })
  }

  test('are refused from an attempt that no longer has the job, and nothing is written', async ({
    assert,
  }) => {
    const lab = new WorkerLab(url, [Keeper])
    try {
      const id = await lab.dispatch(Keeper, { failures: 0 })
      const { keys, checkpoints } = lab.transport
      const limits = { count: 2, bytes: 100 }
      const keep = (token: string, attempt: number, name = 'page') =>
        checkpoints.keep('default', id, { token, attempt, name, json: '1' }, limits)
      assert.deepEqual(await keep('t', 1), { outcome: 'refused' })
      await lab.redis.hset(keys.job('default', id), 'ats', 2)
      await lab.redis.set(keys.lock('default', id), 't')
      assert.deepEqual(await keep('t', 1), { outcome: 'refused' })
      assert.deepEqual(await keep('other', 2), { outcome: 'refused' })
      assert.notProperty(await lab.job(id), 'cp')
      assert.deepEqual(await keep('t', 2), { outcome: 'kept' })
      assert.deepEqual(await checkpoints.read('default', id), new Map([['page', '1']]))
    } finally {
      await lab.close()
    }
  })

  test('have limits, which say what to do', async ({ assert }) => {
    const lab = new WorkerLab(url, [Keeper])
    try {
      await lab.start()
      const many = await lab.dispatch(Keeper, { failures: 0, fill: 'count' })
      const [n, message] = JSON.parse((await lab.ended(many)).returnvalue).refused
      assert.equal(n, 998)
      assert.match(
        message,
        /^The checkpoint "n998" was not kept: the job has 1000 checkpoints.*Give a name again/
      )

      const large = await lab.dispatch(Keeper, { failures: 0, fill: 'bytes' })
      const [which, said] = JSON.parse((await lab.ended(large)).returnvalue).refused
      assert.equal(which, 5)
      assert.match(said, /would have 12\d{5} bytes; at most 1048576 are kept\. Store the data/)
    } finally {
      await lab.close()
    }
  })
})
