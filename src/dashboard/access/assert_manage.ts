import { E_FORBIDDEN } from '../../errors.ts'
import type { JobView } from '../../types.ts'
import type { Viewer } from '../viewer.ts'

/**
 * Every action asks here, whatever page or program it came from.
 *
 * @throws E_FORBIDDEN
 */
export async function assertManage(
  viewer: Viewer,
  target?: Pick<JobView, 'queue' | 'user'>
): Promise<void> {
  if (!(await viewer.mayManage(target))) throw new E_FORBIDDEN()
}

/**
 * For what concerns several queues as wholes: whoever may act on some of them only must not do it to the others.
 *
 * @throws E_FORBIDDEN
 */
export async function assertManageQueues(viewer: Viewer, queues: Iterable<string>): Promise<void> {
  for (const queue of queues) await assertManage(viewer, { queue, user: null })
}
