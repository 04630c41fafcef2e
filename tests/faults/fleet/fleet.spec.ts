import type { Assert } from '@japa/assert'
import { test } from '@japa/runner'
import { eachDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { TcpProxy } from '#tests/helpers/tcp_proxy'
import { type OwnDatabase, ownDatabase } from '../mirror/victims.ts'
import { Fleet } from './fleet.ts'
import { blocked } from './scenarios/blocked.ts'
import { clockBack } from './scenarios/clock_back.ts'
import { cut } from './scenarios/cut.ts'
import { diskFull } from './scenarios/disk_full.ts'
import { frozen } from './scenarios/frozen.ts'
import { killed } from './scenarios/killed.ts'
import { restarted } from './scenarios/restarted.ts'
import { rolling } from './scenarios/rolling.ts'
import { LONG, type Scenario, SHORT, type Stage } from './scenarios/scenario.ts'
import { silent } from './scenarios/silent.ts'
import { sqlAway } from './scenarios/sql_away.ts'
import { mountDisk } from './small_disk.ts'
import { CLEAN } from './verdict.ts'

/**
 * The long form by `QUEUEDECK_FLEET=long`: 100,000 jobs and 200 kills, half a minute without Redis, a minute of a busy event loop.
 * `QUEUEDECK_FLEET_JOBS`, `..._STORM`, `..._KILLS` and `..._AWAY` (ms) set single sizes.
 */
const form = process.env.QUEUEDECK_FLEET === 'long' ? LONG : SHORT
const number = (name: string, otherwise: number) =>
  Number(process.env[`QUEUEDECK_FLEET_${name}`] ?? otherwise)
const SIZE = {
  jobs: number('JOBS', form.jobs),
  stormJobs: number('STORM', form.stormJobs),
  kills: number('KILLS', form.kills),
  away: number('AWAY', form.away),
}

/** The one that kills comes last but one, so that the rolling restart replaces who was started under fire. */
const SCENARIOS = [frozen, cut, clockBack, silent, restarted, diskFull, blocked, killed, rolling]

const WITHIN = 120_000 + SIZE.stormJobs * 30 + SIZE.kills * 5_000

/** Runs one scenario; what must hold afterwards is the same for all. */
async function play(scenario: Scenario, stage: Stage, assert: Assert): Promise<void> {
  const { fleet } = stage
  const began = performance.now()
  const before = (await fleet.witness.stretches()).length
  await scenario.run(stage)
  const jobs = fleet.ids.length
  await fleet.settled(60_000 + jobs * 20)
  const seconds = ((performance.now() - began) / 1_000).toFixed(1)
  const verdict = await fleet.verdict()
  const stretches = (await fleet.witness.stretches()).slice(before)
  const cutShort = stretches.filter(({ how }) => how !== 'returned' && how !== 'failed').length
  console.log(
    `    ${jobs} jobs, ${stretches.length} attempts, ${cutShort} of them cut short, ${seconds} s: ` +
      Object.entries(verdict)
        .map(([what, found]) => `${what} ${Array.isArray(found) ? found.length : found}`)
        .join(', ')
  )
  assert.deepEqual(verdict, CLEAN)
  for (const worker of fleet.workers) assert.notInclude(worker.output(), 'unhandled')
}

test.group(
  'Three workers and eight users lose nothing, finish nothing twice, keep every limit when',
  (group) => {
    let stage: Stage
    group.setup(async () => {
      const redis = await redisServer({ own: true, appendOnly: true })
      const proxy = await TcpProxy.to(redis)
      const disk = await mountDisk()
      const database = await ownDatabase('sqlite', disk?.folder)
      const fleet = await Fleet.begin(redis.url, {
        database: database as never,
        places: [
          { host: 'first' },
          { host: 'second', address: `redis://127.0.0.1:${proxy.port}` },
          { host: 'third' },
        ],
      })
      stage = { fleet, redis, proxy, database, disk, size: SIZE }
      return async () => {
        redis.thaw()
        await fleet.close()
        await proxy.close()
        await redis.stop()
        await (disk ? disk.unmount() : database.stop())
      }
    })

    for (const scenario of SCENARIOS) {
      test(scenario.name, ({ assert }) => play(scenario, stage, assert)).timeout(WITHIN)
    }
  }
)

eachDatabase(
  ({ kind, label }) => {
    test.group(
      `A worker and a mirror lose nothing and finish nothing twice | ${label}`,
      (group) => {
        let stage: Pick<Stage, 'fleet' | 'database' | 'size'>
        group.setup(async () => {
          const { url } = await redisServer()
          const database: OwnDatabase = await ownDatabase(kind)
          const fleet = await Fleet.begin(url, { database: database as never, places: [{}] })
          stage = { fleet, database, size: SIZE }
          return async () => {
            await fleet.close()
            await database.stop()
          }
        })

        test('when its server is stopped for a whole run', async ({ assert }) => {
          await play(sqlAway, stage as Stage, assert)
        }).timeout(WITHIN)
      }
    )
  },
  ['pg']
)
