import type { ContainerResolver } from '@adonisjs/core/container'
import { Exception } from '@adonisjs/core/exceptions'
import type { Job } from './job.ts'
import type { JobContext } from './job_context.ts'
import { validatePayload } from './payload.ts'
import type { JobDefinition } from './registry.ts'

/**
 * The payload of a job that is about to run does not fit its type: trying again would not help.
 */
export class PayloadInvalidException extends Exception {
  static status = 500
  static code = 'PAYLOAD_INVALID'
}

/**
 * Makes the instance that runs one attempt: dependencies from the container, the payload checked once more, because a type
 * may have changed since the dispatch, and other producers check nothing.
 *
 * @param payload parsed JSON
 * @throws PayloadInvalidException, and whatever the class's constructor throws
 */
export async function openJob(
  definition: JobDefinition,
  payload: unknown,
  context: JobContext,
  container: Pick<ContainerResolver<any>, 'make'>
): Promise<Job<any, any>> {
  let checked = payload
  if (definition.validator !== undefined) {
    try {
      checked = await validatePayload(definition.name, definition.validator, payload)
    } catch (error) {
      throw new PayloadInvalidException((error as Error).message, { cause: error })
    }
  }
  const job = (await container.make(definition.Class)) as Job<any, any>
  return job.attach(checked, context)
}
