import { test } from '@japa/runner'
import { DelayedError, RateLimitError, type Worker } from 'bullmq'
import { foreignId } from '../../../src/records/ids.ts'
import { waitFor } from '#tests/helpers/wait'
import { ForeignLab } from './lab.ts'

const is = (status: string) => (row: any) => row.status === status

test.group('Foreign queues', (group) => {
  let foreign: ForeignLab

  group.setup(async () => {
    foreign = await ForeignLab.open()
    return () => foreign.close()
  })

  test('are found by themselves, with all that they hold', async ({ assert }) => {
    const queue = foreign.queue('found')
    const [one, two, three] = await queue.addBulk([
      { name: 'first', data: { a: 1 } },
      { name: 'second', data: {}, opts: { delay: 3_600_000 } },
      { name: 'third', data: {}, opts: { priority: 7, jobId: 'order-4711' } },
    ])
    const row = await foreign.row('found', one.id!, is('pending'))
    assert.equal(row.id, foreignId('found', '1'))
    assert.match(row.id, /^[0-9a-f]{8}-[0-9a-f]{4}-5/)
    assert.deepInclude(row, { type: 'first', queue: 'found', transportId: '1', user: null })
    const later = await foreign.row('found', two.id!, is('scheduled'))
    assert.closeTo(Date.parse(later.dueAt), Date.now() + 3_600_000, 60_000)
    assert.deepInclude(await foreign.row('found', three.id!), { status: 'pending', priority: 7 })
    assert.deepEqual((await foreign.job(row.id)).payload, { a: 1 })
    const { json } = await foreign.lab.client().json('/jobs?q=order-4711')
    assert.lengthOf(json.data, 1)
    const queues = (await foreign.lab.client().json('/queues')).json.data
    const found = queues.find(({ name }: any) => name === 'found')
    assert.deepInclude(found.depths, { pending: 2, scheduled: 1 })
  })

  test('are not observed where their names cannot be used, and the log says so once', async ({
    assert,
  }) => {
    const names = ['ring\u0007bell', 'x'.repeat(300)]
    for (const name of names) await foreign.queue(name).add('job', {})
    const warnings = () => foreign.lab.logged.filter((line) => line.includes('is not observed'))
    await waitFor('both warnings', () => warnings().length >= 2)
    const { id } = await foreign.queue('beside').add('job', {})
    await foreign.row('beside', id!)
    await foreign.queue('one round later').add('job', {})
    await foreign.row('one round later', '1')
    assert.lengthOf(warnings(), 2)
    assert.isTrue(warnings().some((line) => line.includes('ring\\\\u0007bell')))
    assert.isTrue(warnings().some((line) => line.includes(`${'x'.repeat(79)}…`)))
    const { json } = await foreign.lab.client().json('/queues')
    for (const { name } of json.data) assert.notInclude(names, name)
  })

  test('are worked by plain workers: attempts, errors, progress and results are recorded', async ({
    assert,
  }) => {
    const queue = foreign.queue('worked')
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    foreign.worker(
      'worked',
      async (job) => {
        if (job.name === 'fails') throw new Error(`no ${job.attemptsMade}`)
        if (job.name === 'flaky' && job.attemptsMade === 0) throw new TypeError('first time')
        if (job.name === 'slow') {
          await job.updateProgress({ percent: 40, stage: 'Half' })
          await held
        }
        return { got: job.data }
      },
      { concurrency: 5 }
    )
    const slow = await queue.add('slow', { n: 1 })
    const running = await foreign.row('worked', slow.id!, ({ progress }) => progress.percent === 40)
    assert.equal(running.status, 'running')
    assert.equal(running.progress.stage, 'Half')

    const fails = await queue.add('fails', {})
    const failed = await foreign.row('worked', fails.id!, is('failed'))
    assert.equal(failed.error.message, 'no 0')
    const [attempt] = (await foreign.job(failed.id)).attempts
    assert.equal(attempt.outcome, 'failed')
    assert.include(attempt.error.stack, 'Error: no 0')

    const flaky = await queue.add('flaky', { b: 2 }, { attempts: 2, backoff: 50 })
    const recovered = await foreign.row('worked', flaky.id!, is('completed'))
    const details = await foreign.job(recovered.id)
    assert.deepEqual(details.result, { got: { b: 2 } })
    assert.deepEqual(
      details.attempts.map(({ outcome }: any) => outcome),
      ['failed', 'completed']
    )
    assert.equal(details.attempts[0].error.message, 'first time')
    release()
    await foreign.row('worked', slow.id!, is('completed'))
    const [served] = (await foreign.lab.client().json('/queues')).json.data.filter(
      ({ name }: any) => name === 'worked'
    )
    assert.equal(served.workers, 1)
  })

  test('an attempt that puts its job off, or meets a rate limit, has not failed', async ({
    assert,
  }) => {
    const queue = foreign.queue('put-off')
    const worker: Worker = foreign.worker('put-off', async (job, token) => {
      if (job.name === 'fails' && job.attemptsStarted === 2) throw new Error('planned')
      if (job.attemptsStarted > 1) return
      if (job.name === 'limited') {
        await worker.rateLimit(200)
        throw new RateLimitError()
      }
      await job.moveToDelayed(Date.now() + 200, token)
      throw new DelayedError()
    })
    for (const [name, status] of [
      ['later', 'completed'],
      ['limited', 'completed'],
      ['fails', 'failed'],
    ]) {
      const job = await queue.add(name, {})
      const { id } = await foreign.row('put-off', job.id!, is(status))
      const { attempts, events } = await foreign.job(id)
      const outcomes = attempts.map(({ outcome }: any) => outcome)
      assert.deepEqual(outcomes, ['handed back', status], name)
      const kinds = events.map(({ kind }: any) => kind)
      assert.include(kinds, 'handed back')
      assert.notInclude(kinds, 'attempt failed')
    }
  })

  test('cancel: those that wait are done, one that a plain worker runs is refused', async ({
    assert,
  }) => {
    const queue = foreign.queue('cancels')
    const client = foreign.lab.client()
    const waiting = await queue.add('waits', {})
    const later = await queue.add('later', {}, { delay: 3_600_000 })
    const prior = await queue.add('prior', {}, { priority: 3 })
    for (const job of [waiting, later, prior]) {
      const { id } = await foreign.row('cancels', job.id!)
      const { json } = await client.post(`/jobs/${id}/cancel`)
      assert.equal(json.outcome, 'done')
      assert.equal(json.job.status, 'cancelled')
    }
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    foreign.worker('cancels', () => held)
    const busy = await queue.add('busy', {})
    const { id } = await foreign.row('cancels', busy.id!, is('running'))
    const { json } = await client.post(`/jobs/${id}/cancel`)
    assert.equal(json.outcome, 'refused')
    assert.match(json.reason, /plain BullMQ/)
    assert.deepInclude(await foreign.row('cancels', busy.id!), {
      status: 'running',
      stopping: false,
    })
    release()
    await foreign.row('cancels', busy.id!, is('completed'))
  })

  test('restart: failed and cancelled ones run again, also when Redis forgot them', async ({
    assert,
  }) => {
    const queue = foreign.queue('again')
    const client = foreign.lab.client()
    let fails = true
    const seen: unknown[] = []
    foreign.worker('again', async (job) => {
      seen.push([job.id, job.name, job.data])
      if (fails) throw new Error('not yet')
      return 'done'
    })
    const text = '{"rowId":1970670598291982291}'
    const job = await queue.add('retry', {}, { delay: 200, jobId: 'r/1 #ü' })
    await foreign.redis.hset(queue.toKey(job.id!), 'data', text)
    const failed = await foreign.row('again', job.id!, is('failed'))
    await waitFor('Redis to forget it', async () => {
      return (await foreign.redis.exists(queue.toKey(job.id!))) === 0
    })
    fails = false
    const { json } = await client.post(`/jobs/${failed.id}/restart`)
    assert.equal(json.outcome, 'done', JSON.stringify(json))
    const again = await foreign.row('again', job.id!, is('completed'))
    assert.equal(again.run, 2)
    assert.deepEqual((await foreign.job(again.id)).result, 'done')
    assert.lengthOf(seen, 2)
    assert.deepEqual(seen[1], seen[0])
    assert.include((await client.json(`/jobs/${failed.id}`)).text, '"rowId":1970670598291982291')
  })

  test('restart: the number of one that Redis forgot is given to no other job', async ({
    assert,
  }) => {
    const queue = foreign.queue('numbered')
    foreign.worker('numbered', async ({ data }) => {
      if (data.n === 2) throw new Error('planned')
    })
    for (const n of [1, 2]) await queue.add('old', { n })
    const failed = await foreign.row('numbered', '2', is('failed'))
    await queue.pause()
    await queue.obliterate({ force: true })
    await queue.pause()
    const client = foreign.lab.client()
    assert.equal((await client.post(`/jobs/${failed.id}/restart`)).json.outcome, 'done')
    assert.equal((await queue.add('new', { n: 3 })).id, '3')
    assert.deepEqual((await queue.getJob('2'))!.data, { n: 2 })
    assert.deepEqual((await foreign.row('numbered', '3', is('pending'))).type, 'new')
    assert.deepInclude(await foreign.row('numbered', '2', is('pending')), { type: 'old', run: 2 })
  })

  test('restart: what BullMQ deduplicates by is held again, and refused where another job has it', async ({
    assert,
  }) => {
    const queue = foreign.queue('alone')
    const client = foreign.lab.client()
    const add = async (id: string) =>
      (await queue.add('once', {}, { jobId: id, deduplication: { id: 'k' } })).id
    const post = async (id: string, action: string) =>
      (await client.post(`/jobs/${foreignId('alone', id)}/${action}`)).json
    for (const isForgotten of [false, true]) {
      const [first, second] = [`first-${isForgotten}`, `second-${isForgotten}`]
      assert.equal(await add(first), first)
      await foreign.row('alone', first, is('pending'))
      assert.equal((await post(first, 'cancel')).outcome, 'done')
      if (isForgotten) await queue.obliterate({ force: true })
      assert.equal(await add(second), second)
      await foreign.row('alone', second, is('pending'))
      const refused = await post(first, 'restart')
      assert.equal(refused.outcome, 'refused')
      assert.equal(refused.reason, `Its unique key is held by job ${foreignId('alone', second)}`)
      assert.equal((await post(second, 'cancel')).outcome, 'done')
      assert.equal((await post(first, 'restart')).outcome, 'done')
      assert.equal(await add('third'), first)
      await foreign.row('alone', first, ({ run, status }) => run === 2 && status === 'pending')
      assert.equal((await post(first, 'cancel')).outcome, 'done')
      assert.isNull(await queue.getDeduplicationJobId('k'))
    }
  })

  test('one that is added again with another payload keeps the secrets of that one', async ({
    assert,
  }) => {
    const queue = foreign.queue('reused')
    const stream = await foreign.lab.client().stream('/stream?page=jobs')
    const reports = () =>
      stream
        .named('progress')
        .flatMap(({ data }) => data)
        .filter(([id]) => id === foreignId('reused', 'same'))
    const add = (password: string) =>
      queue.add('one', { password }, { jobId: 'same', removeOnComplete: true })
    await add('p-111')
    await foreign.row('reused', 'same', is('pending'))
    foreign.worker('reused', async (job) => {
      if (job.data.password === 'p-111') return
      await job.updateProgress({ percent: 50, stage: `with ${job.data.password}` })
      await waitFor('the report to be told', () => reports().length > 0)
      throw new Error(`refused ${job.data.password}`)
    })
    await foreign.row('reused', 'same', is('completed'))
    await waitFor('it to be gone', async () => !(await queue.getJob('same')))
    await add('p-222')
    await waitFor('the report', () => reports().length > 0)
    const row = await foreign.row('reused', 'same', is('failed'))
    assert.deepInclude(row, { run: 2, error: { code: null, message: 'refused [redacted]' } })
    assert.notInclude(stream.text, 'p-222')
    stream.close()
  })

  test('our workers take jobs of plain producers: known types run, others fail with a code', async ({
    assert,
  }) => {
    const queue = foreign.queue('ours')
    await foreign.lab.work({ queues: ['ours'] })
    const known = await queue.add('tests.echo', { hello: 'world' })
    const unknown = await queue.add('nobody.knows', {})
    const done = await foreign.row('ours', known.id!, is('completed'))
    assert.deepEqual((await foreign.job(done.id)).result, { hello: 'world' })
    const failed = await foreign.row('ours', unknown.id!, is('failed'))
    assert.equal(failed.error.code, 'UNKNOWN_TYPE')
  })

  test('whole numbers above 2^53 keep their digits', async ({ assert }) => {
    const queue = foreign.queue('digits')
    const job = await queue.add('big', {}, { delay: 3_600_000 })
    await foreign.redis.hset(
      queue.toKey(job.id!),
      'data',
      '{"rowId":1970670598291982291,"n":[9007199254740993]}'
    )
    const { id } = await foreign.row('digits', job.id!)
    await waitFor('the payload', async () => {
      const { text } = await foreign.lab.client().json(`/jobs/${id}`)
      return text.includes('"rowId":1970670598291982291,"n":[9007199254740993]')
    })
    const page = await foreign.lab.client().page(`/jobs/${id}`)
    assert.include(page.text, '1970670598291982291')
    assert.notInclude(page.text, '1970670598291982300')
  })
})

/** A name with everything that addresses, patterns and shells care about. */
const ODD = 'reports/a b#1?x=%2F..\\ü'
const ENCODED = 'reports%2Fa%20b%231%3Fx%3D%252F..%5C%C3%BC'

test.group('Foreign queues | names in addresses', (group) => {
  let foreign: ForeignLab

  group.setup(async () => {
    foreign = await ForeignLab.open()
    return () => foreign.close()
  })

  test('every page that names a queue leads to it, and actions act on it', async ({ assert }) => {
    const queue = foreign.queue(ODD)
    const jobs = await queue.addBulk([1, 2].map((n) => ({ name: 'odd', data: { n } })))
    const row = await foreign.row(ODD, jobs[0].id!)
    await foreign.row(ODD, jobs[1].id!)
    const client = foreign.lab.client()

    for (const path of [
      '',
      '/jobs',
      `/jobs/${row.id}`,
      '/queues',
      `/queues/${ENCODED}`,
      `/jobs?queue=${ENCODED}`,
    ]) {
      const { status, text } = await client.page(path)
      assert.equal(status, 200, path)
      for (const [, address] of text.matchAll(
        /(?:href|action|hx-get|hx-post)="([^"]*(?:queues\/|queue=)[^"]*)"/g
      )) {
        if (!/reports/.test(address)) continue
        assert.include(address, ENCODED, `${path}: ${address}`)
        const target = address.replaceAll('&amp;', '&').replace(/^.*\/admin\/queue/, '')
        if (/\/(pause|resume|limits)$/.test(target)) continue
        assert.equal((await client.page(target)).status, 200, target)
      }
    }
    const { text } = await client.page('/queues')
    assert.include(text, `/queues/${ENCODED}`)

    const paused = await client.post(`/queues/${ENCODED}/pause`)
    assert.deepInclude(paused.json, { outcome: 'done', changed: true })
    assert.isTrue(await queue.isPaused())
    await client.post(`/queues/${ENCODED}/resume`)
    assert.isFalse(await queue.isPaused())
    const stream = await client.stream(`/stream?page=jobs&queue=${ENCODED}`)
    const added = await queue.add('odd', { n: 3 })
    const record = foreignId(ODD, added.id!)
    await waitFor('the stream to tell of it', () => stream.text.includes(record))
    stream.close()
    const drained = await client.post(`/queues/${ENCODED}/drain`)
    assert.equal(drained.json.cancelled, 3)
    await foreign.row(ODD, added.id!, is('cancelled'))
    const { json } = await client.json(`/jobs?queue=${ENCODED}&status=cancelled`)
    assert.lengthOf(json.data, 3)
  })
})
