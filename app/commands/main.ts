import type { BaseCommand } from '@adonisjs/core/ace'
import DemoDocuments from './demo_documents.ts'

/*
 * Commands of this application alone. They live here because `commands/` is published with the package.
 */

export async function getMetaData() {
  return [DemoDocuments.serialize()]
}

export async function getCommand(metaData: {
  commandName: string
}): Promise<typeof BaseCommand | null> {
  return metaData.commandName === DemoDocuments.commandName ? DemoDocuments : null
}
