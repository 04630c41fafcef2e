import { test } from '@japa/runner'
import { DeleteJob } from '../../../src/operations/delete_job.ts'
import { Job } from '../../../src/jobs/job.ts'
import { defineSchedule } from '../../../src/jobs/schedule_definition.ts'
import { uuidV7 } from '../../../src/jobs/uuid.ts'
import { Planner } from '../../../src/schedules/planner.ts'
import { eachDatabase } from '#tests/helpers/databases'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { Lab } from '../mirror/lab.ts'
import { migrate, openRecords } from '../mirror/records.ts'
import { WorkerLab } from '../worker/lab.ts'
import { AlertLab, only } from './lab.ts'

const MINUTE = 60_000
const EVERY = 60 * MINUTE

class Nightly extends Job {
  static options = { name: 'nightly', queue: 'mails' }
  execute() {}
}

eachDatabase(({ label, create }) => {
  test(`Missed schedules | past many runs, and of deleted jobs | ${label}`, async ({
    assert,
    cleanup,
  }) => {
    const { url } = await redisServer()
    const { connection } = await create()
    await migrate(connection)
    const lab = new Lab(url)
    const records = openRecords(connection)
    const alerts = new AlertLab(lab, records, { alerts: { rules: only({ missedSchedule: {} }) } })
    const work = new WorkerLab(url, [Nightly], {}, lab.transport.keys.prefix)
    const { transport } = work
    cleanup(async () => {
      await alerts.close()
      await work.close()
      await lab.close()
      await records.close()
    })
    lab.mirror(records)
    const planner = new Planner({ transport, records, queue: work.manager })
    const planAt = async (name: string, moment: number) => {
      const definition = await defineSchedule(work.manager, {
        ...{ name, type: Nightly, every: EVERY, missed: 'once' },
      })
      const base = { id: uuidV7(), origin: 'page', createdAt: 1, createdBy: 'test' } as const
      await records.schedules.insert({ ...definition, ...base })
      const schedule = (await records.schedules.named(name))!
      await planner.plan([schedule], moment)
      const [{ jobId }] = await records.schedules.runs(schedule.seq, { limit: 1 })
      return { schedule, jobId: jobId! }
    }
    /** Its next run is planned, as it would be by now. */
    const goOn = async (name: string) => {
      const { seq, generation } = (await records.schedules.named(name))!
      const ahead = Date.now() + EVERY
      await records.schedules.planned([], [{ seq, generation, plannedAt: ahead, lookAt: ahead }])
    }
    const threeMinutesAgo = () => planAt(uuidV7(), Date.now() - EVERY - 3 * MINUTE)

    const pool = await work.start({ queues: ['mails'] })
    const [kept, deleted] = [await threeMinutesAgo(), await threeMinutesAgo()]
    for (const { jobId, schedule } of [kept, deleted]) {
      await waitFor('the run', async () => {
        const [job] = await records.reader.rowsById([jobId])
        return job?.status === 'completed'
      })
      await goOn(schedule.name)
    }
    pool.abort()
    await pool.ended
    const deletion = new DeleteJob({ transport, records, reader: records.reader })
    const { outcome } = await deletion.handle(deleted.jobId, { id: '7', via: 'page' })
    assert.equal(outcome, 'done')
    assert.deepEqual(await alerts.look(), [], 'nothing is late')

    const { seq } = kept.schedule
    const now = Date.now()
    const runs = Array.from({ length: 700 }, (_, at) => {
      const due = now - 5 * MINUTE - at * MINUTE
      return { seq, due, generation: 0, jobId: kept.jobId, kind: 'planned', madeAt: due } as const
    })
    await records.schedules.planned(runs, [])
    const late = await threeMinutesAgo()
    await goOn(late.schedule.name)
    assert.deepEqual(await alerts.look(), [`missedSchedule ${late.schedule.name}`])
  })
})
