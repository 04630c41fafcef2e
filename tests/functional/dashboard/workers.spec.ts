import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import type { AppProcess } from '#tests/helpers/app'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Job } from '../../../src/jobs/job.ts'
import { WorkerSweep } from '../../../src/mirror/worker_sweep.ts'
import type { WorkerPool } from '../../../src/worker/worker_pool.ts'
import { add, startProcess, starts } from '../../faults/worker/processes.ts'
import { WorkerLab } from '../worker/lab.ts'
import type { Answer } from './client.ts'
import { DashboardLab, PREFIX } from './lab.ts'

const HOUR = 3_600_000

/** As the worker processes have it. */
class Short extends Job<{ ms: number }, string> {
  static options = { name: 'short' }
  async execute() {
    await pause(this.payload.ms)
    return 'done'
  }
}

const GONE = 'some-host:1:00000000'

test.group('Dashboard | workers', (group) => {
  let lab: DashboardLab
  let workers: WorkerLab
  const processes: AppProcess[] = []
  const pools: WorkerPool[] = []

  group.setup(async () => {
    lab = await DashboardLab.open()
    const { prefix } = await lab.app.container.make('queuedeck.config')
    workers = new WorkerLab((await redisServer()).url, [Short], {}, prefix)
    return async () => {
      await workers.close()
      await lab.close()
    }
  })
  group.each.teardown(async () => {
    await Promise.all(processes.splice(0).map((one) => one.stop('SIGKILL')))
    pools.forEach((pool) => pool.abort())
    await Promise.all(pools.splice(0).map((pool) => pool.ended))
    await workers.redis.del(workers.transport.keys.workers)
  })

  const listed = async (isIt: (worker: { id: string; pid: number }) => boolean) => {
    const { id } = await waitFor('the worker to be listed', async () =>
      (await lab.client().json('/workers')).json.data.find(isIt)
    )
    return { id, path: `/workers/${encodeURIComponent(id)}` }
  }
  /** A worker that is a process of its own. */
  const start = async () => {
    const process = await startProcess(workers, { settings: { concurrency: 2 } })
    processes.push(process)
    return { process, ...(await listed(({ pid }) => pid === process.pid)) }
  }
  /** A worker in this process. */
  const startHere = async () => {
    const pool = await workers.start({ concurrency: 2 })
    pools.push(pool)
    return { pool, ...(await listed(({ id }) => id === pool.id)) }
  }
  const becomes = (path: string, wanted: (worker: any) => unknown) =>
    waitFor(`${path} to change`, async () => {
      const { status, json } = await lab.client().json(path)
      return status === 200 && wanted(json) ? json : null
    })

  test('whose reports say something else are listed, and hide no other', async ({ assert }) => {
    const { transport, redis } = workers
    const { id } = await start()
    const half = { id: '\ud800', queue: '\ud800', type: '\ud800', startedAt: -8.64e15 }
    const odd = [
      '"text"',
      '{}',
      '{"queues":{},"running":[null],"startedAt":"x","memory":null}',
      JSON.stringify({ host: '\ud800', queues: ['\ud800', '..'], running: [half] }),
      JSON.stringify({ startedAt: 8.64e15, running: [{ ...half, id: '..', queue: '\0' }] }),
    ]
    for (const [index, text] of odd.entries()) {
      const name = `odd-host:${index}:00000000`
      await transport.workers.report(name, {}, redis)
      await redis.set(transport.keys.worker(name), text)
    }
    const client = lab.client()
    const { data } = (await client.json('/workers')).json
    const ids = data.map((worker: { id: string }) => worker.id)
    const read = odd.slice(1).map((_text, index) => `odd-host:${index + 1}:00000000`)
    assert.sameMembers(ids, [id, ...read])
    for (const path of ['', '/workers', '/queues', ...read.map((name) => `/workers/${name}`)]) {
      assert.equal((await client.page(path)).status, 200, path)
    }
  })

  test('lists a process with what it runs, and is documented', async ({ assert }) => {
    const { process, id, path } = await start()
    const client = lab.client()
    const job = await add(workers, 'short', { ms: 20_000 })
    const worker = await waitFor('the job to be reported', async () => {
      const { json } = await client.json(path)
      return json.running.some((one: { id: string }) => one.id === job) && json
    })
    assert.deepInclude(worker, { id, pid: process.pid, state: 'active', concurrency: 2 })
    assert.isAbove(worker.memory.used, 1_000_000)
    assert.isAtLeast(worker.memory.limit, worker.memory.used)
    assert.isBelow(worker.age, 15_000)
    assert.match(worker.startedAt, /^\d{4}-.*Z$/)

    const list = (await client.json('/workers')).json
    assert.deepEqual(Object.keys(list), ['data', 'versions', 'removed'])
    assert.deepEqual(list.versions, [{ version: worker.version, workers: 1 }])
    const document = await readFile(new URL('../../../docs/json.md', import.meta.url), 'utf8')
    const parts = [list, list.data[0], list.data[0].running[0], list.removed, list.versions[0]]
    for (const part of parts) {
      for (const field of Object.keys(part)) assert.match(document, new RegExp(`\\b${field}\\b`))
    }

    const page = await client.page('/workers')
    assert.include(page.text, `${PREFIX}/jobs/${job}`)
    assert.include(page.text, `pid ${process.pid}`)
    assert.include(page.text, 'id="rail-workers"')
    const own = await client.page(path)
    assert.equal(own.status, 200)
    assert.include(own.text, id)
    assert.include(own.text, `${PREFIX}/jobs/${job}`)
    const region = await client.partial('/workers', { 'x-queuedeck-refresh': 'workers-page' })
    assert.notInclude(region.text, '<html')
    assert.match(region.text.trim(), /^<div class="page" id="workers-page"/)
  })

  test('shows what the host of a worker used, as a chart, a table and JSON', async ({ assert }) => {
    const { path } = await startHere()
    const client = lab.client()
    const { host } = (await client.json(path)).json
    const records = await lab.app.container.make('queuedeck.records')
    const at = Math.floor(Date.now() / HOUR) * HOUR - 50 * HOUR
    const sample = (cpu: number, used: number) => ({
      host,
      cpu,
      memory: { used, limit: 8_000_000_000 },
    })
    await records.metricsKeeper.sample([sample(0.25, 1_000_000_000)], at)
    await records.metricsKeeper.sample([sample(0.75, 3_000_000_000)], at + 10_000)

    const { usage } = (await client.json(`${path}?range=7d`)).json
    const told = usage.data.find(({ memory }: any) => memory.limit === 8_000_000_000)
    assert.containSubset(told, {
      samples: 2,
      cpu: { mean: 0.5, most: 0.75 },
      memory: { mean: 2_000_000_000, most: 3_000_000_000 },
    })
    assert.isAtMost(Date.parse(told.at), at)
    const document = await readFile(new URL('../../../docs/json.md', import.meta.url), 'utf8')
    for (const field of [...Object.keys(usage), ...Object.keys(told)]) {
      assert.match(document, new RegExp(`\\b${field}\\b`))
    }

    const page = await client.page(`${path}?range=7d`)
    assert.include(page.text, `CPU, as a share of all cores, of all workers on ${host}`)
    assert.include(page.text, `Memory of all workers on ${host} in the last 7 days`)
    assert.include(page.text, 'id="memory-table"')
    assert.match(page.text, /<td class="num">50 %<\/td>\s*<td class="num">75 %<\/td>/)
    assert.include(page.text, 'aria-current="true">7 d</a>')
    assert.notMatch(page.text, /NaN|Infinity|undefined/)
  })

  test('answers a refresh with 304 until a worker reports', async ({ assert }) => {
    await startHere()
    const client = lab.client()
    const ask = (headers: Record<string, string> = {}) =>
      client.partial('/workers', { 'x-queuedeck-refresh': 'workers-page', ...headers })
    await waitFor('two answers between two reports', async () => {
      const first = await ask()
      return (await ask({ 'if-none-match': first.headers.get('etag')! })).status === 304
    })
    assert.equal((await ask()).status, 200)
  })

  test('quiet, resume and stop are obeyed by the process', async ({ assert }) => {
    const { process, path } = await start()
    const client = lab.client()
    const said = ({ status, json }: Answer) => [status, json.outcome, json.reason]
    assert.deepEqual(said(await client.post(`${path}/quiet`)), [200, 'requested', null])
    await becomes(path, ({ state }) => state === 'quiet')
    assert.deepEqual(said(await client.post(`${path}/quiet`)), [
      200,
      'done',
      'The worker is quiet already',
    ])
    const waiting = await add(workers, 'short', { ms: 1_500, deaf: true })
    const other = await startHere()
    assert.equal((await workers.ended(waiting)).pb, other.id)
    assert.equal((await client.post(`${other.path}/quiet`)).json.outcome, 'requested')
    await becomes(other.path, ({ state }) => state === 'quiet')

    const job = await add(workers, 'short', { ms: 4_000, deaf: true })
    assert.equal(await workers.transport.state('default', job), 'waiting')
    assert.deepEqual(said(await client.post(`${path}/resume`)), [200, 'requested', null])
    /** A job that was claimed, but whose code has not begun, would be handed back. */
    await waitFor('its code to run', async () => (await starts(workers)).includes(`${job} 1`))

    assert.deepEqual(said(await client.post(`${path}/stop`)), [200, 'requested', null])
    assert.equal((await process.exited).code, 0)
    assert.equal(await workers.transport.state('default', job), 'completed')
    assert.equal((await client.json(path)).status, 404)
    const late = await client.post(`${path}/quiet`)
    assert.deepEqual([late.json.outcome, late.json.worker], ['too_late', null])
    assert.match(late.json.reason, /has ended/)
  })

  test('works by form: stop asks first, then leads to the list and says so', async ({ assert }) => {
    const { pool, path } = await startHere()
    const client = lab.client()
    const list = await client.page('/workers')
    assert.include(list.text, `action="${PREFIX}${path}/quiet"`)
    const question = await client.page(`${path}/stop`)
    const forms = question.text.match(/<form[\s\S]*?<\/form>/gi) ?? []
    const form = forms.find((one) => one.includes(`action="${PREFIX}${path}/stop"`))
    assert.match(form!, /method="post"[\s\S]*name="_csrf"[\s\S]*Stop the worker/i)
    assert.equal((await client.json(`${path}/stop`)).json.refused, null)
    assert.equal((await client.json(path)).json.state, 'active')

    const quiet = await client.submit(`${path}/quiet`)
    assert.deepEqual([quiet.status, quiet.headers.get('location')], [303, `${PREFIX}/workers`])
    assert.match((await client.page('/workers')).text, /role="status"[\s\S]{0,300}no more jobs/)
    assert.equal((await client.submit(`${path}/stop`)).status, 303)
    assert.isTrue((await pool.ended).clean)
    await client.submit(`${path}/resume`)
    assert.include((await client.page('/workers')).text, 'Too late: No such worker is registered')
  })

  test('a killed process turns suspect, then goes off the list, noted once', async ({ assert }) => {
    const { process, id, path } = await start()
    await process.stop('SIGKILL')
    const { keys } = workers.transport
    const silentFor = async (ms: number) => {
      const now = await workers.transport.time(workers.redis)
      await workers.redis.zadd(keys.workers, now - ms, id)
    }
    await silentFor(31_000)
    const client = lab.client()
    assert.equal((await client.json(path)).json.state, 'suspect')
    assert.match((await client.page('/workers')).text, /<b class="tone">suspect<\/b>/)
    const asked = (await client.post(`${path}/stop`)).json
    assert.equal(asked.outcome, 'requested')
    assert.match(asked.reason, /has not reported for 3\d s/)

    const quiet = () => {}
    const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet }
    const sweep = () => new WorkerSweep(workers.transport.workers, logger, workers.redis).run()
    assert.deepEqual(await sweep(), [])
    const before = (await client.json('/workers')).json.removed.count
    await silentFor(300_000)
    await Promise.all([sweep(), sweep(), sweep()])
    const { json } = await client.json('/workers')
    assert.deepEqual(json.data, [])
    assert.equal(json.removed.count, before + 1)
    assert.equal(json.removed.last[0].id, id)
    assert.isAtLeast(json.removed.last[0].silent, 300_000)
    assert.match((await client.page('/workers')).text, /Off the list[\s\S]*?:\d+:/)
    assert.equal((await client.post(`${path}/stop`)).json.outcome, 'too_late')
  })

  test('the process that mirrors takes silent workers off the list', async ({ assert }) => {
    const { transport, redis } = workers
    const silent = 'lost-host:7:0badcafe'
    await redis.zadd(transport.keys.workers, (await transport.time(redis)) - 300_000, silent)
    await waitFor(
      'its removal',
      async () => (await redis.zscore(transport.keys.workers, silent)) === null
    )
    const { removed } = (await lab.client().json('/workers')).json
    assert.equal(removed.last[0].id, silent)
  })

  test('odd ids and methods change nothing', async ({ assert }) => {
    const client = lab.client()
    for (const id of [GONE, '%00', 'a%2Fb', '..%2f..', `${'x'.repeat(3_000)}`]) {
      const found = await client.json(`/workers/${id}`)
      assert.equal(found.status, 404, id)
      assert.equal(found.json.errors[0].code, 'E_WORKER_NOT_FOUND', id)
      assert.equal((await client.post(`/workers/${id}/stop`)).json.outcome, 'too_late', id)
    }
    assert.equal((await client.json(`/workers/${GONE}/quiet`)).status, 405)
    assert.equal((await client.post(`/workers/${GONE}/explode`)).status, 404)
    assert.match((await client.page('/workers')).text, /No worker is running/)
    const forged = await client.ask('POST', `/workers/${GONE}/stop`, { accept: 'application/json' })
    assert.notEqual(forged.status, 200)
  })
})

test.group('Dashboard | workers, who may act', (group) => {
  let lab: DashboardLab
  group.setup(async () => {
    lab = await DashboardLab.open({
      access: { view: () => true, manage: (_ctx, target) => target?.queue !== 'theirs' },
    })
    return () => lab.close()
  })

  test('only who may act on all queues of a worker may act on it', async ({ assert }) => {
    const client = lab.client()
    const [mine, both] = await Promise.all([
      lab.work({ queues: ['mine'] }),
      lab.work({ queues: ['mine', 'theirs'] }),
    ])
    for (const wish of ['quiet', 'resume', 'stop']) {
      const refused = await client.post(`/workers/${encodeURIComponent(both.id)}/${wish}`)
      assert.equal(refused.status, 403, wish)
      assert.equal(refused.json.errors[0].code, 'E_FORBIDDEN')
    }
    const { text } = await client.page('/workers')
    assert.include(text, `${encodeURIComponent(mine.id)}/quiet`)
    assert.notInclude(text, `${encodeURIComponent(both.id)}/quiet`)
    assert.include(text, 'You may not act on all of its queues')
    const asked = await client.post(`/workers/${encodeURIComponent(mine.id)}/quiet`)
    assert.equal(asked.json.outcome, 'requested')
  })
})

test.group('Dashboard | workers, manage refused', (group) => {
  let lab: DashboardLab
  group.setup(async () => {
    lab = await DashboardLab.open({ access: { view: () => true } })
    return () => lab.close()
  })

  test('whoever may only look sees workers, and asks nothing of them', async ({ assert }) => {
    const { id } = await lab.work()
    const client = lab.client()
    const { text, status } = await client.page('/workers')
    assert.equal(status, 200)
    assert.include(text, encodeURIComponent(id))
    assert.notMatch(text, /data-quick|data-confirm/)
    for (const one of [id, GONE]) {
      const answer = await client.post(`/workers/${encodeURIComponent(one)}/stop`)
      assert.equal(answer.status, 403)
    }
    assert.equal((await client.json(`/workers/${encodeURIComponent(id)}`)).json.state, 'active')
  })
})
