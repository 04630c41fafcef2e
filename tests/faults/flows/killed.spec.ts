import { setTimeout as pause } from 'node:timers/promises'
import { test } from '@japa/runner'
import { uuidV7 } from '../../../src/jobs/uuid.ts'
import type { NewTransportJob } from '../../../src/transport/types.ts'
import { writeEdge, type FlowEdge } from '../../../src/transport/flow_edges.ts'
import { spawnNode, type AppProcess } from '#tests/helpers/app'
import { keysLike } from '#tests/helpers/redis_address'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { WorkerLab } from '../../functional/worker/lab.ts'

/** `FLOW_JOBS` and `FLOW_KILLS` give other sizes. */
const JOBS = Number(process.env.FLOW_JOBS ?? 300)
const KILLS = Number(process.env.FLOW_KILLS ?? 5)
const QUEUES = ['g1', 'g2', 'g3']

type Planned = {
  n: number
  job: NewTransportJob
  fail: boolean
  waits: (FlowEdge & { n: number })[]
}

/** The same every time. */
function random(seed: number) {
  let state = seed
  return (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

function plan(): Planned[] {
  const int = random(7_919)
  const planned: Planned[] = []
  for (let n = 0; n < JOBS; n++) {
    const waits = new Map<number, Planned['waits'][number]>()
    for (let edge = n === 0 ? 0 : int(5); edge > 0; edge--) {
      const at = int(2) ? Math.max(0, n - 1 - int(40)) : int(n)
      const onFailure = (['cancel', 'run', 'skip', 'run', 'run', 'run'] as const)[int(6)]
      const { queue, id } = planned[at].job
      waits.set(at, { n: at, queue, id, onFailure })
    }
    const list = [...waits.values()]
    const fail = int(12) === 0
    planned.push({
      n,
      fail,
      waits: list,
      job: {
        id: uuidV7(),
        queue: QUEUES[int(3)],
        name: 'node',
        data: JSON.stringify({ n, ms: 5 + int(30), fail }),
        opts: {
          timestamp: Date.now(),
          ...(list.length > 0 && { qd: { waitFor: list.map(writeEdge) } }),
        },
        ...(list.length > 0 && { waitFor: list }),
      },
    })
  }
  return planned
}

type End = 'completed' | 'failed' | 'AWAITED_FAILED' | 'SKIPPED'

/** What has to become of each. */
function model(planned: Planned[]): End[] {
  const ends: End[] = []
  for (const { n, fail, waits } of planned) {
    const met = waits
      .filter(({ n: other }) => ends[other] === 'failed' || ends[other] === 'AWAITED_FAILED')
      .map(({ onFailure }) => onFailure)
    ends[n] = met.includes('cancel')
      ? 'AWAITED_FAILED'
      : met.includes('skip')
        ? 'SKIPPED'
        : fail
          ? 'failed'
          : 'completed'
  }
  return ends
}

test('A random graph of jobs ends as it has to, whatever is killed meanwhile, and within its limit', async ({
  assert,
  cleanup,
}) => {
  const lab = new WorkerLab((await redisServer()).url)
  const alive: AppProcess[] = []
  cleanup(async () => {
    await Promise.all(alive.map((child) => child.stop('SIGKILL')))
    await lab.close()
  })
  const spawn = () =>
    alive.push(
      spawnNode(
        ['--import=./bin/typescript.js', 'tests/faults/flows/flow_process.ts', lab.url, lab.prefix],
        { NODE_ENV: 'test' }
      )
    )
  for (let n = 0; n < 2; n++) spawn()
  await waitFor('workers', () => alive.every((child) => child.stdout().includes('ready')))

  const planned = plan()
  const dispatching = (async () => {
    for (let at = 0; at < planned.length; at += 20) {
      await lab.transport.add(planned.slice(at, at + 20).map(({ job }) => job))
      await pause(40)
    }
  })()
  for (let kill = 0; kill < KILLS; kill++) {
    await pause(150)
    const [victim] = alive.splice(kill % alive.length, 1)
    await victim.stop('SIGKILL')
    spawn()
    await waitFor('the next worker', () => alive.at(-1)!.stdout().includes('ready'))
  }
  await dispatching

  const wanted = model(planned)
  const endOf = async ({ job }: Planned): Promise<End | null> => {
    const state = await lab.transport.state(job.queue, job.id)
    if (state !== 'completed' && state !== 'failed') return null
    if (state === 'completed') return state
    const { failedReason } = await lab.job(job.id, job.queue)
    return (/^\[(AWAITED_FAILED|SKIPPED)\]/.exec(failedReason)?.[1] ?? 'failed') as End
  }
  let open = planned
  const ends: (End | null)[] = []
  await waitFor(
    'all to end',
    async () => {
      for (const one of open) ends[one.n] = await endOf(one)
      open = open.filter(({ n }) => ends[n] === null)
      return open.length === 0
    },
    { within: 60_000 }
  )
  assert.deepEqual(ends, wanted)

  /** None began before what it waits for had ended for the last time, and none ran that may not. */
  const log = await lab.redis.lrange(`${lab.prefix}~ran`, 0, -1)
  const first = new Map(planned.map(({ n }) => [n, log.indexOf(`start ${n}`)]))
  for (const { n, waits } of planned) {
    const began = first.get(n)!
    assert.equal(began >= 0, wanted[n] === 'completed' || wanted[n] === 'failed', `job ${n}`)
    if (began < 0) continue
    for (const { n: other } of waits) {
      const ended = log.lastIndexOf(`end ${other}`)
      assert.isBelow(ended, began, `${n} began before ${other} had ended`)
    }
  }
  await waitFor(
    'nothing to be left of the flows',
    async () => (await keysLike(lab.redis, `${lab.prefix}~flow:*`)).length === 0
  )
}).timeout(120_000)
