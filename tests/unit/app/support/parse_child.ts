/*
 * Reads one document as a job does, until the first group of its pages is kept; then it waits to be killed. Its checkpoints are
 * written to a file. Arguments: the root of the store, the document, the file.
 */
import 'reflect-metadata'
import { renameSync, writeFileSync } from 'node:fs'
import Parse from '#jobs/document_processing/parse'
import { DocumentStore } from '#services/documents/document_store'
import { jobContext } from './job_context.ts'

const [root, document, file] = process.argv.slice(2)
const context = {
  ...jobContext().context,
  checkpoints: new Map<string, string>(),
  checkpoint(name: string, json: string) {
    writeFileSync(`${file}.draft`, JSON.stringify({ [name]: json }))
    renameSync(`${file}.draft`, file)
    return new Promise<void>(() => setInterval(() => {}, 1_000))
  },
}
await new Parse(new DocumentStore(root)).attach({ documents: [document] }, context).execute()
