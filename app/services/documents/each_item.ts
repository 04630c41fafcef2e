import { DocumentProblem } from './document_problem.ts'
import type { Warning } from './parsed_document.ts'

/**
 * Does the work for each item in order. An item that cannot be read is a warning; when all of them are, the job fails with
 * the first one's code.
 *
 * @param signal asked before each item
 */
export async function eachItem<Item, Output>(
  items: Item[],
  options: {
    signal: AbortSignal
    name: (item: Item) => string
    work: (item: Item, index: number) => Promise<Output>
    warn: (warning: Warning) => void
  }
): Promise<{ outputs: Output[]; warnings: Warning[] }> {
  const outputs: Output[] = []
  const warnings: Warning[] = []
  for (const [index, item] of items.entries()) {
    options.signal.throwIfAborted()
    try {
      outputs.push(await options.work(item, index))
    } catch (error) {
      if (!(error instanceof DocumentProblem)) throw error
      const warning = { source: options.name(item), code: error.code, message: error.message }
      warnings.push(warning)
      options.warn(warning)
    }
  }
  if (outputs.length === 0) {
    const [first] = warnings
    const others = warnings.length > 1 ? ` (and ${warnings.length - 1} others failed too)` : ''
    throw new DocumentProblem(
      first.code as DocumentProblem['code'],
      `${first.source} ${first.message}${others}`
    )
  }
  return { outputs, warnings }
}
