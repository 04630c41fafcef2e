import { test } from '@japa/runner'
import { Lab } from '../../functional/mirror/lab.ts'
import { migrate, openRecords } from '../../functional/mirror/records.ts'
import { type DatabaseKind, eachDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { differences } from './comparison.ts'
import { MirrorProcess, ownDatabase } from './victims.ts'
import { Workload, type LoggedJob } from './workload.ts'

/**
 * How much of it: by hand also with `QUEUEDECK_FIRE_JOBS=20000 QUEUEDECK_FIRE_KILLS=20 QUEUEDECK_FIRE_AWAY=60`.
 */
const JOBS = Number(process.env.QUEUEDECK_FIRE_JOBS ?? 640)
const KILLS = Number(process.env.QUEUEDECK_FIRE_KILLS ?? 0)
/**
 * Where a mirror kills itself: at a point of its transaction (5 lies behind the commit), or null for a kill from outside, at any instant.
 * Servers take back what was not committed wherever it stood, and each mirror that starts costs a second of a processor: all points with one.
 */
const EVERYWHERE = [1, 2, 3, 4, 5, null]
const POINTS: Record<DatabaseKind, (number | null)[]> = {
  sqlite: EVERYWHERE,
  pg: [1, 4, 5, null],
  mysql: [2, 3, 5, null],
}
/** How many mirrors are started before it is their turn to be killed. */
const AHEAD = 3
const AWAY_SECONDS = Number(process.env.QUEUEDECK_FIRE_AWAY ?? 3)

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/**
 * Stops a mirror again and again until the other one has come to its point, which one that is never up to date first may not do for
 * seconds. It may be stopped anywhere, inside of a transaction too.
 */
async function inTurns(mirror: MirrorProcess, end: Promise<void>): Promise<void> {
  let isOver = false
  const over = end.then(() => void (isOver = true))
  const deadline = performance.now() + 5_000
  while (!isOver && performance.now() < deadline) {
    for (const signal of ['SIGSTOP', 'SIGCONT'] as const) {
      mirror.child.kill(signal)
      await Promise.race([over, pause(60)])
    }
  }
}

eachDatabase(({ kind, label }) => {
  const points = KILLS > 0 ? EVERYWHERE : POINTS[kind]
  const most = KILLS > 0 ? KILLS : points.length
  test.group(`Mirror under fire | ${label}`, () => {
    test(`keeps every record equal to what its job did while one of two mirrors is killed ${most} times and the database goes away`, async ({
      assert,
    }) => {
      const redis = await redisServer({ own: true })
      const database = await ownDatabase(kind)
      const lab = new Lab(redis.url)
      const records = openRecords(database.connection)
      const children: MirrorProcess[] = []
      try {
        await migrate(database.connection)
        const settings = {
          redis: redis.url,
          prefix: lab.transport.keys.prefix,
          connection: database.connection,
          unled: true,
          batch: 200,
          janitor: { every: 200, trail: 500 },
        }
        const steady = new MirrorProcess(settings)
        children.push(steady)
        await steady.ready()
        const workload = new Workload(lab)
        workload.work()

        const startedAt = performance.now()
        let kills = 0
        let killedInside = 0
        let killedAtPoint = 0
        let isAway = false
        let isDone = false
        const killOf = (at: number) => {
          const point = points[at % points.length]
          return point === null ? undefined : { point, after: Math.random() * 150 }
        }
        const victims: { kill: ReturnType<typeof killOf>; victim: MirrorProcess }[] = []
        const prepare = () => {
          const kill = killOf(victims.length)
          const victim = new MirrorProcess({ ...settings, kill, waits: true })
          victims.push({ kill, victim })
          children.push(victim)
        }
        while (victims.length < Math.min(AHEAD, most)) prepare()
        const killing = (async () => {
          for (; kills < most; kills++) {
            const { kill, victim } = victims[kills]
            if (victims.length < most) prepare()
            victim.begin()
            await Promise.race([victim.ready(), victim.ended()])
            if (kills === Math.floor(most / 2)) {
              isAway = true
              await database.away()
              await pause(AWAY_SECONDS * 1_000)
              await database.back()
              isAway = false
            }
            if (!kill) await pause(Math.random() * 400)
            else await inTurns(steady, victim.ended())
            if (kill && victim.child.signalCode === 'SIGKILL') {
              killedAtPoint++
              if (kill.point < 5) killedInside++
            }
            await victim.kill()
          }
          isDone = true
        })()
        killing.catch(() => {})

        while (workload.made < JOBS || !isDone) {
          await workload.dispatch(workload.made < JOBS ? 48 : 16)
          await pause(workload.made >= JOBS ? 300 : isAway ? 100 : 5)
          while (workload.open > 500) await pause(10)
        }
        await killing
        await waitFor('all jobs to end', () => workload.open === 0, { within: 60_000 })
        assert.isTrue(steady.isAlive)
        await steady.ask('stop')

        lab.mirror(records)
        const status = await lab.mirrored(60_000 + JOBS * 10)
        assert.isNull(Object.values(status.queues).find(({ gap }) => gap) ?? null)

        const found: string[] = []
        let compared = 0
        const expected: Record<string, number> = {}
        const compare = async ([id, logged]: [string, LoggedJob]) => {
          const [record, { lines }] = await Promise.all([
            records.reader.find(id),
            records.reader.logs(id, { limit: 100 }),
          ])
          const comparison = differences(logged, record, lines)
          found.push(...comparison.found)
          compared += comparison.compared
          const ending = logged.ending!.status
          expected[ending] = (expected[ending] ?? 0) + 1
        }
        const all = [...workload.log]
        for (let from = 0; from < all.length; from += 20) {
          await Promise.all(all.slice(from, from + 20).map(compare))
        }
        assert.deepEqual(found.slice(0, 20), [])
        assert.isAbove(compared, workload.log.size * 20)
        const counts = await records.reader.counts()
        assert.deepEqual(
          Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
          expected
        )
        assert.isTrue(most < 5 || killedInside > 0)
        const outside = kills - killedInside
        const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0)
        console.log(
          `      ${workload.log.size} jobs, ${kills} kills (${killedInside} inside of the transaction, ${outside} outside, ${killedAtPoint - killedInside} of them right after the commit), ${AWAY_SECONDS} s away, ${compared} fields compared, ${found.length} differences, ${seconds} s`
        )
      } finally {
        await Promise.all(children.map((child) => child.kill()))
        await lab.close()
        await records.close()
        await redis.stop()
        await database.stop()
      }
    }).timeout(600_000)
  })
})
