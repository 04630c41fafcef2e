import { uuidV7 } from '../../src/jobs/uuid.ts'
import type { NewTransportJob } from '../../src/transport/types.ts'

/**
 * A job as the transport adds it, with what a test does not care about filled in.
 */
export function transportJob(
  opts: Partial<NewTransportJob['opts']> = {},
  rest: Partial<NewTransportJob> = {}
): NewTransportJob {
  return {
    queue: 'default',
    id: uuidV7(),
    name: 'work',
    data: '{"n":1}',
    opts: { timestamp: Date.now(), ...opts },
    ...rest,
  }
}
