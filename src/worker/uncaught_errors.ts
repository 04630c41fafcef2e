import type { LogSink } from '../jobs/job_context.ts'
import type { Attempt } from './attempt.ts'
import { currentAttempt } from './execution.ts'
import { describeThrown, ExitCalledError } from './thrown.ts'

/**
 * Errors told in the log of one process. A timer that throws each time would fill a disk while other jobs finish.
 */
const MOST_TOLD = 20

/**
 * Takes errors that nobody caught (a promise nobody awaits, a callback, an emitter without a listener for `error`), which would end the
 * process and all that runs in it. Node knows in whose job's code they were made. What is left of the process is not to be trusted, so
 * the worker takes no more jobs and ends when the others have ended. The same for `process.exit()` in the code of a job: it throws instead.
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
      const what =
        error instanceof ExitCalledError
          ? 'A job called process.exit()'
          : `Nobody caught an error of ${whose}`
      logger.error(
        { err: describeThrown(error), jobId: id, jobType: type },
        `${what}: the worker takes no more jobs, and ends when the running ones have ended`
      )
    }
    failed(error, attempt)
  }
  const { exit } = process
  process.exit = (code) => {
    if (currentAttempt() === undefined) return exit.call(process, code)
    const error = new ExitCalledError(code)
    take(error)
    throw error
  }
  /** That of an exit was taken when it was called. */
  const uncaught = (error: unknown) => error instanceof ExitCalledError || take(error)
  process.on('uncaughtException', uncaught)
  return () => {
    process.exit = exit
    process.off('uncaughtException', uncaught)
  }
}
