import type { Dataset, DatasetFile } from '#services/documents/artifacts'
import { Turns } from '#services/documents/turns'
import type { DatasetFormat } from './dataset_reader.ts'
import { DatasetReading, type DatasetSource, survey } from './dataset_source.ts'
import { DatasetWriter } from './dataset_writer.ts'

export type ConvertOptions = {
  format: DatasetFormat
  spreadsheet: boolean
  /** Folder of the files that are made. */
  folder: string
  /** What is known of it already, of a dataset that was made here. */
  known: Dataset | null
  signal: AbortSignal
  /** Told now and then; `total` is there once it is known. */
  tell: (stage: string, done: number, total: number | null) => Promise<void>
}

/** Examples between two reports. */
const TOLD_EVERY = 500

/**
 * Writes every file of a dataset again in another format. Each example is read, written and forgotten.
 *
 * @throws DocumentProblem
 */
export async function convertDataset(
  source: DatasetSource,
  options: ConvertOptions
): Promise<{ dataset: Dataset; reading: DatasetReading }> {
  const turns = new Turns(options.signal)
  const { known } = options
  if (known === null) await options.tell('Learning the fields', 0, null)
  const { fields, examples } = known ?? (await survey(source.files, turns))
  const reading = new DatasetReading(source.files)
  const files: DatasetFile[] = []
  for (const file of source.files) {
    const writer = await DatasetWriter.open(options.folder, {
      ...options,
      fields,
      split: file.split,
    })
    try {
      for await (const { example } of reading.of(file)) {
        const full = writer.add(example)
        if (full !== undefined) await full
        if (reading.read % TOLD_EVERY === 0) await options.tell('Writing', reading.read, examples)
        if (turns.due()) await turns.give()
      }
      reading.refuseNothing()
      files.push(await writer.close())
    } finally {
      await writer.discard()
    }
  }
  const dataset: Dataset = {
    name: source.name,
    kind: source.kind,
    from: source.from,
    ...(known?.seed === undefined ? undefined : { seed: known.seed }),
    fields,
    examples: reading.read,
    files,
  }
  return { dataset, reading }
}
