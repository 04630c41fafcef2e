import { chunkRows } from './support/document_rows/chunk.ts'
import { datasetRows } from './support/document_rows/datasets.ts'
import { memoryRows } from './support/document_rows/memory.ts'
import { parseRows } from './support/document_rows/parse.ts'
import type { DocumentRows } from './support/document_rows/types.ts'
import type { Bench, Measure } from './support/types.ts'

/** What is measured, in this order; each is a file of its own. */
const ROWS: DocumentRows[] = [parseRows, chunkRows, datasetRows, memoryRows]

/**
 * How fast documents are processed, how long that keeps everything else of the process waiting, and whether memory grows with
 * their number. `--rows=NAME,NAME` measures some of it.
 */
const bench: Bench = async (options) => {
  const names = ROWS.map(({ name }) => name)
  const asked = typeof options.others.rows === 'string' ? options.others.rows.split(',') : names
  const unknown = asked.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new Error(`There are no rows "${unknown}"; --rows takes ${names.join(', ')}`)
  }
  const measures: Measure[] = []
  for (const rows of ROWS) {
    if (asked.includes(rows.name)) measures.push(...(await rows.measure(options)))
  }
  return { measures }
}

export default bench
