import type { Actor } from '../../types.ts'
import type { JobRow } from '../presenters/types.ts'
import type { Viewer } from '../viewer.ts'
import { ActionController } from './action_controller.ts'

/**
 * Cancelling one job.
 */
export default class CancellationsController extends ActionController {
  protected words = {
    done: 'Cancelled',
    requested: 'Told to stop',
    too_late: 'Too late',
    refused: 'Not cancelled',
  }

  protected override readonly takes = ['reason']

  protected question(row: JobRow) {
    const running = row.status === 'running'
    return {
      action: 'cancel' as const,
      title: 'Cancel this job?',
      text: running
        ? 'Its code is told to stop. Whatever it returns afterwards is refused; it can be restarted later.'
        : 'It will not run. It can be restarted later.',
      url: row.cancel.url,
      button: 'Cancel the job',
      destructive: true,
      refused: row.cancel.reason,
    }
  }

  protected act(
    { dashboard }: Viewer,
    id: string,
    actor: Actor,
    { reason }: Record<string, unknown>
  ) {
    return dashboard.cancelJob.handle(id, actor, reason)
  }
}
