import type { Actor } from '../../types.ts'
import type { JobRow } from '../presenters/types.ts'
import type { Viewer } from '../viewer.ts'
import { ActionController } from './action_controller.ts'

/**
 * Restarting one job.
 */
export default class RestartsController extends ActionController {
  protected words = {
    done: 'Restarted',
    requested: 'Restarted',
    too_late: 'Too late',
    refused: 'Not restarted',
  }

  protected question(row: JobRow) {
    return {
      action: 'restart' as const,
      title: 'Restart this job?',
      text: `It runs again with the same payload, as run ${row.run + 1}. Earlier runs stay in its history.`,
      url: row.restart.url,
      button: 'Restart the job',
      destructive: false,
      refused: row.restart.reason,
    }
  }

  protected act({ dashboard }: Viewer, id: string, actor: Actor) {
    return dashboard.restartJob.handle(id, actor)
  }
}
