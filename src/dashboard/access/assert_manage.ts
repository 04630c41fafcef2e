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
