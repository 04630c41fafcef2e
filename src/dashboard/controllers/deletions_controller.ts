import type { OperationAnswer } from '../../operations/job_lookup.ts'
import type { Actor } from '../../types.ts'
import type { JobRow } from '../presenters/types.ts'
import type { Viewer } from '../viewer.ts'
import { ActionController } from './action_controller.ts'

/**
 * Deleting one job that has ended.
 */
export default class DeletionsController extends ActionController {
  protected words = {
    done: 'Deleted',
    requested: 'Deleted',
    too_late: 'Too late',
    refused: 'Not deleted',
  }

  protected question(row: JobRow) {
    return {
      action: 'delete' as const,
      title: 'Delete this job?',
      text: 'Its payload, result, log, attempts and history go for good. It cannot be restarted afterwards.',
      url: row.delete.url,
      button: 'Delete the job',
      destructive: true,
      refused: row.delete.reason,
      /** Its page is gone afterwards. */
      leaves: true,
    }
  }

  protected act({ dashboard }: Viewer, id: string, actor: Actor) {
    return dashboard.deleteJob.handle(id, actor)
  }

  protected override leadsTo(answer: OperationAnswer, viewer: Viewer) {
    return answer.outcome === 'done' ? viewer.urls.jobs() : super.leadsTo(answer, viewer)
  }
}
