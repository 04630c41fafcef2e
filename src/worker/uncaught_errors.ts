import type { LogSink } from '../jobs/job_context.ts'
import type { Attempt } from './attempt.ts'
import { currentAttempt } from './execution.ts'
import { describeThrown } from './thrown.ts'

/**
 * Errors told in the log of one process. A timer that throws each time would fill a disk while other jobs finish.
 */
const MOST_TOLD = 20

/**
 * Takes errors that nobody caught (a promise nobody awaits, a callback, an emitter without a listener for `error`), which would end the
 * process and all that runs in it. Node knows in whose job's code they were made. What is left of the process is not to be trusted, so
 * the worker takes no more jobs and ends when the others have ended.
 *
 * @param failed told of each, with the attempt whose code it was, if it was any's
 * @returns stops listening
 */
export function takeUncaughtErrors(
  logger: LogSink,
  failed: (error: unknown, attempt: Attempt | undefined) => void
): () => void {
  let told = 0
  const take = (error: unknown) => {
    const attempt = currentAttempt()
    if (told++ < MOST_TOLD) {
      const { id, type } = attempt?.job ?? {}
      const whose = attempt === undefined ? 'no job' : 'the code of a job'
      logger.error(
        { err: describeThrown(error), jobId: id, jobType: type },
        `Nobody caught an error of ${whose}: the worker takes no more jobs, and ends when the running ones have ended`
      )
    }
    failed(error, attempt)
  }
  process.on('uncaughtException', take)
  return () => void process.off('uncaughtException', take)
}
