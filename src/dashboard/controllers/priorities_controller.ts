import { LAST_PRIORITY } from '../../jobs/options.ts'
import type { Actor, JobView } from '../../types.ts'
import type { JobRow } from '../presenters/types.ts'
import type { Viewer } from '../viewer.ts'
import { ActionController } from './action_controller.ts'

/**
 * Changing the priority of one job.
 */
export default class PrioritiesController extends ActionController {
  protected words = {
    done: 'Priority changed',
    requested: 'Priority changed',
    too_late: 'Too late',
    refused: 'Priority not changed',
  }

  protected override readonly takes = ['priority']

  protected question(row: JobRow, _viewer: Viewer, job: JobView) {
    return {
      action: 'priority' as const,
      title: 'Change the priority?',
      text: 'Jobs without a priority come first, then 1, 2 and so on. Among equals it goes to the end of the line.',
      url: row.priority.url,
      button: 'Change the priority',
      destructive: false,
      refused: row.priority.reason,
      field: {
        name: 'priority',
        label: 'Priority, 0 for none',
        value: String(job.priority),
        least: 0,
        most: LAST_PRIORITY,
      },
    }
  }

  protected act(
    { dashboard }: Viewer,
    id: string,
    actor: Actor,
    { priority }: Record<string, unknown>
  ) {
    return dashboard.changePriority.handle(id, priority, actor)
  }
}
