import type { Emitter, Runner } from '@japa/runner/core'

/**
 * Closes a run with one line that people and machines read alike: `N passed, N failed, N skipped`. A file that could not be
 * imported or a hook that threw counts as one failure, so that the line never looks better than the exit code. It is written
 * when the process ends, below whatever other reporters write.
 */
export const countReporter = {
  name: 'count',
  handler(runner: Runner, emitter: Emitter) {
    const counts = { passed: 0, failed: 0, skipped: 0 }
    let ended = false

    emitter.on('runner:end', () => {
      const { aggregates, hasError } = runner.getSummary()
      counts.passed = aggregates.passed
      counts.failed = Math.max(aggregates.failed, hasError ? 1 : 0)
      counts.skipped = aggregates.skipped + aggregates.todo
      ended = true
    })
    process.once('exit', () => {
      if (!ended) counts.failed += 1
      console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
    })
  },
}
