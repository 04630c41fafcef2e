import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from '@japa/runner'
import { waitFor } from '#tests/helpers/wait'
import { stopwatch } from '#tests/helpers/stopwatch'
import { LiveHub } from '../../../src/dashboard/live/live_hub.ts'
import { Job, type JobOptions } from '#queuedeck'
import { CLASSES, Echo, Fail, Walk } from './jobs.ts'
import { DashboardLab } from './lab.ts'

/** Two phases that count from nothing each, the first time in vain. Each step waits until it was seen. */
class Phases extends Job<object, void> {
  static options: JobOptions = {
    ...{ name: 'tests.phases', queue: 'tests', attempts: 2 },
    backoff: { type: 'fixed', delay: 2_000 },
  }
  static seen: (step: string) => Promise<unknown>

  async execute() {
    for (const stage of ['Reading', 'Writing']) {
      for (const percent of [10, 90 - this.attempt]) {
        await this.progress(percent, { stage })
        await Phases.seen(`${this.attempt} ${stage} ${percent}`)
      }
    }
    if (this.attempt === 1) throw new Error('in vain')
  }
}

/** What is not held any more is not counted. */
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

test.group('Streams', (group) => {
  let lab: DashboardLab

  group.setup(async () => {
    lab = await DashboardLab.open({ classes: [...CLASSES, Phases] })
    await lab.work({ concurrency: 20 })
    return () => lab.close()
  })

  group.each.teardown(() => lab.closeStreams())

  test('greet with the revision, and are no document that anything keeps', async ({ assert }) => {
    const stream = await lab.client().stream('/stream?page=dashboard')
    assert.equal(stream.status, 200)
    assert.match(stream.headers['content-type']!, /^text\/event-stream/)
    assert.match(stream.headers['cache-control']!, /no-store/)
    assert.equal(stream.headers['x-accel-buffering'], 'no')
    await waitFor('hello', () => stream.named('hello').length)
    const [hello] = stream.events
    assert.equal(hello.event, 'hello')
    assert.isNumber(hello.data.revision)
    assert.isNumber(hello.data.pollInterval)
    assert.equal(hello.id, String(hello.data.revision))
    assert.match(stream.text, /^retry: 2000$/m)
    assert.notInclude(stream.text, '\r')
    await waitFor('stats', () => stream.named('stats').length)
    const { data } = stream.named('stats')[0]
    assert.deepInclude(data.running, { share: null })
    assert.isString(data.running.figures[0].value)
    stream.close()
  })

  test('tell a list what changed within 500 ms of the commit, and the revision grows', async ({
    assert,
  }) => {
    const stream = await lab.client().stream('/stream?page=jobs')
    await waitFor('hello', () => stream.named('hello').length)
    const id = await lab.dispatch(Echo, {})
    const committed = stopwatch()
    await lab.record(id, 'completed')
    await waitFor('changed', () =>
      stream.named('changed').some(({ data }) => data.ids.includes(id))
    )
    assert.isBelow(committed(), 1_500)
    const [{ data: hello }] = stream.named('hello')
    const changes = stream.named('changed')
    assert.isAbove(changes.at(-1)!.data.revision, hello.revision)
    assert.equal(changes.at(-1)!.id, String(changes.at(-1)!.data.revision))
    stream.close()
  })

  test('a filtered list hears nothing of other queues', async ({ assert }) => {
    const stream = await lab.client().stream('/stream?page=jobs&queue=elsewhere')
    const all = await lab.client().stream('/stream?page=jobs')
    await waitFor('hello', () => stream.named('hello').length && all.named('hello').length)
    const id = await lab.dispatch(Echo, {})
    await waitFor('the other list to hear', () =>
      all.named('changed').some(({ data }) => data.ids.includes(id))
    )
    assert.isEmpty(stream.named('changed'))
  })

  test('are told to look again when what Redis said never arrived', async ({ assert }) => {
    const { changes, keys, connections } = await lab.app.container.make('queuedeck.transport')
    const stream = await lab.client().stream('/stream?page=jobs')
    const [{ data: hello }] = await waitFor(
      'hello',
      () => stream.named('hello').length > 0 && stream.named('hello')
    )
    const missed = await connections.producer.incrby(keys.revision, 2)
    assert.isAbove(missed, hello.revision)
    // A change of an earlier test's job may arrive in between.
    await waitFor('word of what was missed', () =>
      stream.named('changed').some(({ data }) => data.revision >= missed && data.more)
    )

    // What was missed and what follows go out together: in between, nobody can look for the one alone.
    const id = '01900000-0000-7000-8000-000000000000'
    const change = { id, queue: 'tests', type: 'tests.echo', user: null, status: 'completed' }
    const notice = { changed: [change], more: false, progress: [], lag: 1 }
    await Promise.all([
      connections.producer.incr(keys.revision),
      changes.publish(notice as never, connections.producer as never),
    ])
    await waitFor('the change that did arrive, and that there were others', () =>
      stream.named('changed').some((event) => event.data.ids.includes(id) && event.data.more)
    )
  })

  test('are told to look again when they were open before Redis could tell anything', async ({
    assert,
    cleanup,
  }) => {
    const dashboard = await lab.app.container.make('queuedeck.dashboard')
    const { changes, connections } = await lab.app.container.make('queuedeck.transport')
    const connected = Promise.withResolvers<void>()
    const slow = {
      revision: () => changes.revision(connections.producer),
      subscribe: (listener: Parameters<typeof changes.subscribe>[0]) =>
        connected.promise.then(() => changes.subscribe(listener)),
    }
    const { live, logger } = dashboard
    const hub = new LiveHub(dashboard, { changes: slow, connections } as never, logger)
    Object.assign(dashboard, { live: hub })
    cleanup(() => {
      hub.close()
      Object.assign(dashboard, { live })
    })
    const stream = await lab.client().stream('/stream?page=jobs')
    await waitFor('hello', () => stream.named('hello').length > 0)
    await lab.record(await lab.dispatch(Echo, {}), 'completed')
    assert.isEmpty(stream.named('changed'))
    connected.resolve()
    await waitFor('word of what was missed', () =>
      stream.named('changed').some(({ data }) => data.more)
    )
  })

  test('carry progress of the job that is shown, and tell its end', async ({ assert }) => {
    const id = await lab.dispatch(Walk, { steps: 400, ms: 60 })
    const client = lab.client()
    await client.page(`/jobs/${id}`)
    const stream = await client.stream(`/stream?page=job&id=${id}`)
    /** The first of its steps are less than one in a hundred. */
    const row = await waitFor('progress', () => {
      const rows = stream.named('progress').flatMap(({ data }) => data)
      return rows.find(([, percent]) => percent > 0)
    })
    assert.equal(row[0], id)
    assert.match(row[2], /Walking/)
    assert.match(row[3], /^\d+ \/ 400$/)
    assert.equal(row[5], 'steps')
    /** A report that counts nothing says so: the page must not keep the count of the one before. */
    const { changes, connections } = await lab.app.container.make('queuedeck.transport')
    const { run, createdAt } = await lab.record(id)
    const report = {
      changed: [],
      more: false,
      progress: [[id, 99, ...Array(5).fill(null), run, createdAt]],
      lag: 1,
    }
    const uncounted = await waitFor('that report', async () => {
      await changes.publish(report as never, connections.producer as never)
      const rows = stream.named('progress').flatMap(({ data }) => data)
      return rows.find((told) => told[3] === '')
    })
    assert.deepEqual([uncounted[2], uncounted[5]], ['', ''])
    Walk.hurried.add(id)
    await lab.record(id, 'completed')
    await waitFor('a notice', () =>
      stream.named('notice').some(({ data }) => data.level === 'success' && data.id === id)
    )
    stream.close()
  })

  test('tell everybody of a failure, without its text', async ({ assert }) => {
    const stream = await lab.client().stream('/stream?page=jobs')
    await waitFor('hello', () => stream.named('hello').length)
    const id = await lab.dispatch(Fail, { message: 'the password is p-111' })
    await waitFor('the notice', () => stream.named('notice').some(({ data }) => data.id === id))
    const { data } = stream.named('notice').find((event) => event.data.id === id)!
    assert.equal(data.level, 'error')
    assert.notInclude(stream.text, 'p-111')
    stream.close()
  })

  test('forget clients that are gone', async ({ assert }) => {
    const { live } = await lab.app.container.make('queuedeck.dashboard')
    await waitFor('other streams to go', () => live.clients === 0)
    const streams = await Promise.all(
      Array.from({ length: 10 }, () => lab.client().stream('/stream?page=jobs'))
    )
    await waitFor('ten clients', () => live.clients === 10)
    streams.forEach((stream) => stream.close())
    await waitFor('no client', () => live.clients === 0)
    assert.equal(live.clients, 0)
  })

  test('a client that does not read gets the newest state later, and costs no growing buffer', async ({
    assert,
  }) => {
    const { port } = new URL(lab.url)
    const socket = connect(Number(port), '127.0.0.1')
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
    socket.write('GET /admin/queue/stream?page=jobs HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await new Promise<void>((resolve) => socket.once('data', () => resolve()))
    socket.pause()
    const dashboard = await lab.app.container.make('queuedeck.dashboard')
    await waitFor('the client', () => dashboard.live.clients === 1)

    const { changes, connections } = await lab.app.container.make('queuedeck.transport')
    const heap = () => (collectGarbage(), process.memoryUsage().heapUsed)
    const before = heap()
    for (let i = 0; i < 400; i++) {
      const changed = Array.from({ length: 200 }, (_, n) => ({
        id: `01900000-0000-7000-8000-${String(i * 200 + n).padStart(12, '0')}`,
        queue: 'tests',
        type: 'tests.echo',
        user: null,
        status: 'completed' as const,
      }))
      await changes.publish(
        { changed, more: false, progress: [], lag: 1 } as never,
        connections.producer as never
      )
      if (i % 20 === 0) await pause(10)
    }
    const last = await changes.revision(connections.producer as never)
    await waitFor('all to arrive', async () => (await dashboard.live.revision()) >= last)
    assert.isBelow(heap() - before, 60_000_000)
    socket.destroy()
    await waitFor('the client to go', () => dashboard.live.clients === 0)
  })

  test('a monitor is told each state, and its stream ends with the job', async ({ assert }) => {
    const id = await lab.dispatch(Walk, { ms: 60 })
    const stream = await lab.client().stream(`/monitors/${id}/stream`)
    await waitFor('its progress', () => stream.named('state').length > 1)
    Walk.hurried.add(id)
    await waitFor('the end', () => stream.ended)
    const states = stream.named('state').map(({ data }) => data)
    assert.deepInclude(states.at(-1), { status: 'completed', terminal: true, percent: 100 })
    const versions = states.map(({ version }) => version)
    assert.deepEqual(
      versions,
      [...versions].sort((a, b) => a - b)
    )
  })

  test('a monitor takes a phase that begins at less, and the wait for another attempt, for newer', async ({
    assert,
  }) => {
    const told = () => {
      let attempt = 1
      return stream.named('state').map(({ data: { status, stage, percent } }) => {
        if (status === 'scheduled') attempt++
        return status === 'running' ? `${attempt} ${stage} ${percent}` : status
      })
    }
    const looks = Promise.withResolvers<void>()
    Phases.seen = async (step) => {
      await looks.promise
      await waitFor(`${step} to be told`, () => told().includes(step))
    }
    const stream = await lab.client().stream(`/monitors/${await lab.dispatch(Phases)}/stream`)
    looks.resolve()
    await waitFor('the end', () => stream.ended)
    const phases = (attempt: number) =>
      ['Reading', 'Writing'].flatMap((stage) =>
        [10, 90 - attempt].map((percent) => `${attempt} ${stage} ${percent}`)
      )
    const all = [...phases(1), 'scheduled', ...phases(2), 'completed']
    /** Before and between them a job has not told anything yet. */
    const steps = told().filter((step) => all.includes(step))
    assert.deepEqual(steps, all)
    const states = stream.named('state').map(({ data }) => data)
    const versions = states.map(({ version }) => version)
    assert.deepEqual(
      versions,
      [...versions].sort((a, b) => a - b)
    )
  })

  test('more than a process can hold are refused, and the page is told to ask by itself', async ({
    assert,
  }) => {
    const dashboard = await lab.app.container.make('queuedeck.dashboard')
    const transport = await lab.app.container.make('queuedeck.transport')
    const { live } = dashboard
    const id = await lab.dispatch(Echo, {}, { queue: 'tests', delay: '1h' })
    const small = new LiveHub(dashboard, transport, dashboard.logger, { mostStreams: 1 })
    Object.assign(dashboard, { live: small })
    try {
      const first = await lab.client().stream('/stream?page=jobs')
      await waitFor('hello', () => first.named('hello').length)
      for (const path of ['/stream?page=jobs', `/monitors/${id}/stream`]) {
        const { status, headers, json } = await lab.client().json(path)
        assert.equal(status, 503)
        assert.equal(json.errors[0].code, 'E_TOO_MANY_STREAMS')
        assert.equal(headers.get('retry-after'), '30')
      }
      first.close()
      await waitFor('room again', () => small.clients === 0)
      assert.equal((await lab.client().stream('/stream?page=jobs')).status, 200)
    } finally {
      small.close()
      Object.assign(dashboard, { live })
    }
  })

  test('HEAD does not hang', async ({ assert }) => {
    const client = lab.client()
    const answer = await Promise.race([
      client.ask('HEAD', '/stream?page=jobs'),
      pause(30_000, null, { ref: false }),
    ])
    assert.isNotNull(answer)
  })
})

test.group('Streams | shutdown', () => {
  test('end when the application does, within two seconds', async ({ assert }) => {
    const lab = await DashboardLab.open({ classes: CLASSES })
    const id = await lab.dispatch(Echo, {}, { delay: '1h' })
    const page = await lab.client().stream('/stream?page=jobs')
    const monitor = await lab.client().stream(`/monitors/${id}/stream`)
    await waitFor('both', () => page.named('hello').length && monitor.named('state').length)
    const started = stopwatch()
    const ending = lab.app.terminate()
    await waitFor('both to end', () => page.ended && monitor.ended)
    assert.isBelow(started(), 2_000)
    await ending
    lab.server.closeAllConnections()
    lab.server.close()
  })
})
