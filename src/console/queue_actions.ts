import type { QueueDependencies, QueueView } from '../operations/queue_views.ts'
import type { ApplicationService } from '@adonisjs/core/types'
import { count } from '../dashboard/presenters/format.ts'
import { plain } from './job_output.ts'

export async function queueDependencies({
  container,
}: ApplicationService): Promise<QueueDependencies> {
  const { reader } = await container.make('queuedeck.records')
  return { reader, transport: await container.make('queuedeck.transport') }
}

/**
 * A queue on one line: name, what waits, what runs, who serves it.
 */
export function queueLine({ name, paused, depths, workers }: QueueView): string {
  const served = workers === 0 ? 'no worker serves it' : `workers: ${count(workers)}`
  const parts = [
    `${count(depths.pending)} pending`,
    `${count(depths.scheduled)} scheduled`,
    `${count(depths.running)} running`,
    served,
  ]
  if (paused) parts.unshift('paused')
  return `${plain(name)}: ${parts.join(', ')}`
}
