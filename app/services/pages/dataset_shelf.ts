import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Dataset } from '#services/documents/artifacts'
import { DocumentProblem } from '#services/documents/document_problem'
import type { DocumentStore } from '#services/documents/document_store'

/** Datasets that are looked at, the newest: more is no list that a person reads. */
const MOST = 500

export type ShelvedDataset = { id: string; at: number; version: number | null; dataset: Dataset }

/** All datasets that are kept, the newest first. */
export async function datasetShelf(store: DocumentStore): Promise<ShelvedDataset[]> {
  const folder = dirname(store.artifact('datasets', '0'.repeat(64)))
  const files = await Promise.all(
    (await listed(folder))
      .filter((name) => /^[0-9a-f]{64}\.json$/.test(name))
      .map(async (name) => ({
        id: name.slice(0, 64),
        at: (await stat(join(folder, name)).catch(() => null))?.mtimeMs ?? 0,
      }))
  )
  const newest = files.sort((a, b) => b.at - a.at).slice(0, MOST)
  const versions = await versionsOf(store.datasetVersions)
  const all = newest.map(async ({ id, at }) => {
    try {
      const dataset = await store.kept('datasets', id)
      return [{ id, at, version: versions.get(id) ?? null, dataset }]
    } catch (error) {
      if (error instanceof DocumentProblem) return []
      throw error
    }
  })
  return (await Promise.all(all)).flat()
}

/** Numbers of datasets under their names, by id. */
async function versionsOf(folder: string): Promise<Map<string, number>> {
  const numbered = (await listed(folder)).map(async (name) =>
    (await listed(join(folder, name)))
      .filter((number) => /^\d+$/.test(number))
      .map(async (number): Promise<[string, number]> => [
        await readFile(join(folder, name, number), 'utf8'),
        Number(number),
      ])
  )
  return new Map(await Promise.all((await Promise.all(numbered)).flat()))
}

function listed(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw error
  })
}
