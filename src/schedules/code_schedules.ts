import { defineSchedule } from '../jobs/schedule_definition.ts'
import type { QueueManager } from '../jobs/queue_manager.ts'
import { uuidV7 } from '../jobs/uuid.ts'
import type { Records } from '../records/records.ts'
import type { Schedule, ScheduleDefinition } from '../schedule_types.ts'

/** Who made and changes schedules of the code. */
const CODE = 'code'

type Dependencies = {
  records: Pick<Records, 'schedules'>
  queue: QueueManager
}

/**
 * Writes the schedules that the application's code defines: new ones are made, others are brought to what the code says, those of a
 * person with the same name are taken over. Any number of processes may do so at once.
 *
 * @param now Redis' clock, epoch ms
 * @param wrong told of each definition that cannot be: the others are written all the same, and one that ran before goes on as it was
 * @throws E_DATABASE_UNAVAILABLE
 */
export async function assertSchedules(
  { records, queue }: Dependencies,
  now: number,
  wrong: (name: string, error: unknown) => void = () => {}
): Promise<void> {
  await queue.registry.load()
  for (const [name, { input }] of queue.schedules) {
    let definition: ScheduleDefinition
    try {
      definition = await defineSchedule(queue, input)
    } catch (error) {
      wrong(name, error)
      continue
    }
    await assertOne(records, definition, now)
  }
}

async function assertOne(
  { schedules }: Pick<Records, 'schedules'>,
  definition: ScheduleDefinition,
  now: number
): Promise<void> {
  for (;;) {
    const known = await schedules.named(definition.name)
    if (known === null) {
      const isNew = await schedules.insert({
        ...definition,
        ...{ id: uuidV7(), origin: 'code', createdAt: now, createdBy: CODE },
      })
      if (isNew) return
    } else {
      if (known.origin === 'code' && isSame(known, definition)) return
      const change = { definition, origin: 'code' } as const
      if (await schedules.change(known, change, { at: now, name: CODE })) return
    }
  }
}

/** Whether a schedule does what a definition says. */
export function isSame(schedule: Schedule, definition: ScheduleDefinition): boolean {
  const { type, payload, queue, cron, zone, every, overlap, missed } = definition
  return (
    schedule.type === type &&
    schedule.payload === payload &&
    schedule.queue === queue &&
    schedule.cron === cron &&
    schedule.zone === zone &&
    schedule.every === every &&
    schedule.overlap === overlap &&
    schedule.missed === missed &&
    JSON.stringify(schedule.options) === JSON.stringify(definition.options)
  )
}
