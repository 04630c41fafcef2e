import { flags } from '@adonisjs/core/ace'
import type { CleanupRun } from '../src/cleanup/cleanup.ts'
import { CLEANUP_KINDS, type CleanupCounts, type CleanupKind } from '../src/cleanup/kinds.ts'
import { ProgressBar } from '../src/console/progress_bar.ts'
import { QueueCommand } from '../src/console/queue_command.ts'
import { cleanupJson } from '../src/dashboard/presenters/cleanups_page.ts'
import { untilStopped } from '../src/console/until_stopped.ts'
import { RunCleanup } from '../src/operations/run_cleanup.ts'

/**
 * Removes what has been kept long enough, as processes do every ten minutes.
 */
export default class QueueCleanup extends QueueCommand {
  static override commandName = 'queue:cleanup'
  static override description = 'Remove what has been kept long enough, in Redis and in the records'
  static override help = [
    'How long things are kept stands in config/queuedeck.ts, under "kept". Jobs that have not ended are never touched.',
    'Workers and web processes do the same by themselves every ten minutes.',
    '',
    '  {{ binaryName }} queue:cleanup --dry-run',
    '  {{ binaryName }} queue:cleanup --json',
  ]

  @flags.boolean({ description: 'List what would go, and remove nothing' })
  declare dryRun: boolean

  #bar = new ProgressBar((line) => this.logger.logUpdate(line))

  protected async answer() {
    const cleanup = await this.app.container.make('queuedeck.cleanup')
    const transport = await this.app.container.make('queuedeck.transport')
    const isDrawn = !this.json && process.stdout.isTTY === true
    const { answer: run } = await untilStopped(
      'Stopped: the next cleanup goes on',
      async (signal) => {
        const expected =
          isDrawn && !this.dryRun
            ? await cleanup.count({ signal, onProgress: () => this.goesOn() })
            : null
        return new RunCleanup(cleanup, transport).handle({
          actor: this.actor,
          dryRun: this.dryRun,
          signal,
          onProgress: (counts, kind) => {
            this.goesOn()
            if (expected) this.#draw(counts, expected, kind)
          },
        })
      }
    )
    if (isDrawn && !this.dryRun) this.logger.logUpdatePersist()
    this.#tell(run)
    if (run.error !== null) this.exitCode = 1
    return { cleanup: cleanupJson(run) }
  }

  #draw(counts: CleanupCounts, expected: CleanupCounts, kind: CleanupKind): void {
    const sum = (from: CleanupCounts) => Object.values(from).reduce((total, n) => total + n, 0)
    const done = sum(counts)
    const total = Math.max(sum(expected), done, 1)
    this.#bar.update(done, total, `${CLEANUP_KINDS[kind]}: ${counts[kind]}`)
  }

  #tell({ counts, startedAt, endedAt, dryRun, error }: CleanupRun): void {
    const found = Object.entries(counts).filter(([, n]) => n > 0) as [CleanupKind, number][]
    const verb = dryRun ? 'would be removed' : 'removed'
    if (found.length === 0) {
      this.say(dryRun ? 'Nothing would be removed' : 'Nothing had to be removed')
    }
    for (const [kind, n] of found) this.say(`${CLEANUP_KINDS[kind]}: ${n} ${verb}`)
    this.say(`took ${((endedAt ?? startedAt) - startedAt) / 1_000} s`)
    if (error !== null) this.logger.error(error)
  }
}
