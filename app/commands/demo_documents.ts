import { BaseCommand, flags } from '@adonisjs/core/ace'
import type { CommandOptions } from '@adonisjs/core/types/ace'
import type { RunOptions } from '#services/pipeline/run_plan'

const MOST_DOCUMENTS = 120

/** By tokens and by characters in turn, so that there is something to compare. */
const OPTIONS: Omit<RunOptions, 'documents'> = {
  chunk: [
    { strategy: 'token', size: 256, overlap: 32 },
    { strategy: 'character', size: 1_000, overlap: 100 },
  ],
  depth: 3,
  threshold: 0.5,
  kinds: ['classification', 'question_answer'],
}

/** Jobs that show what else may happen to one. */
const OTHERS: [type: string, payload: unknown][] = [
  ...Array.from({ length: 12 }, (_, index): [string, unknown] => [
    'demo.sleep',
    { ms: 1_000 + 250 * index, steps: 10 },
  ]),
  ...[1, 2, 3].map((failures): [string, unknown] => ['demo.flaky', { failures }]),
  ['demo.fail', { message: 'The demo job that always fails: restart it and it fails again' }],
]

/**
 * Sends the documentation of the installed packages through the whole pipeline, and some jobs for trying things out.
 */
export default class DemoDocuments extends BaseCommand {
  static override commandName = 'demo:documents'
  static override description =
    'Send the documentation of the installed packages through the pipeline'
  static override options: CommandOptions = { startApp: true }

  @flags.boolean({ description: 'Do nothing when the records know document jobs already' })
  declare once: boolean

  override async run() {
    if (this.once) {
      const records = await this.app.container.make('queuedeck.records')
      await records.ready()
      const known = await records.reader.names('type', 'document_processing.parse', 1)
      if (known.length > 0) {
        this.logger.info('document jobs are already there')
        return
      }
    }
    // Only here: each command of the application loads this file, for its name.
    const [{ default: queue }, { installedDocuments }, { RunIds }, { runPlan }] = await Promise.all(
      [
        import('#queuedeck/services/main'),
        import('#services/documents/installed_documents'),
        import('#services/pipeline/run_ids'),
        import('#services/pipeline/run_plan'),
      ]
    )
    const documents = await installedDocuments(this.app.makePath(), MOST_DOCUMENTS)
    const ids = RunIds.new()
    const plan = runPlan(ids, { documents, ...OPTIONS }, ['documentation'])
    const sent = await queue.dispatchMany(plan)
    const others = await queue.dispatchMany(
      OTHERS.map(([type, payload]) => ({ type, payload, options: { tags: ['demo'] } }))
    )
    this.logger.success(
      `sent ${sent.length + others.length} jobs: ${documents.length} documents on their way to a taxonomy and ${OPTIONS.kinds.length} datasets, see /pipelines/${ids.run}`
    )
  }
}
