import { BaseCommand, flags } from '@adonisjs/core/ace'
import type { CommandOptions } from '@adonisjs/core/types/ace'

const MOST_DOCUMENTS = 120

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
 * Sends the documentation of the installed packages through parse and chunk, and some jobs for trying things out.
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
    const [{ default: queue }, { default: Parse }, { installedDocuments }] = await Promise.all([
      import('#queuedeck/services/main'),
      import('#jobs/document_processing/parse'),
      import('#services/documents/installed_documents'),
    ])
    const paths = await installedDocuments(this.app.makePath(), MOST_DOCUMENTS)
    const parsed = await Parse.dispatchMany(
      paths.map((path, index) => ({
        documents: [path],
        chunk:
          index % 2 === 0
            ? { strategy: 'token' as const, size: 256, overlap: 32 }
            : { strategy: 'character' as const, size: 1_000, overlap: 100 },
      }))
    ).tag('documentation')
    const others = await queue.dispatchMany(
      OTHERS.map(([type, payload]) => ({ type, payload, options: { tags: ['demo'] } }))
    )
    this.logger.success(
      `sent ${parsed.length + others.length} jobs; each of ${parsed.length} documents sends one more to cut it into chunks`
    )
  }
}
