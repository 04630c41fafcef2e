import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Numbers the datasets of each name: 1 for the first, the next for whatever differs from all before. The same dataset keeps its number.
 */
export class DatasetVersions {
  /**
   * @param folder  one folder of files for each name
   */
  constructor(private folder: string) {}

  /**
   * The version of a dataset under a name.
   *
   * @param name  letters, digits, `.`, `_` and `-`
   * @param id    of the dataset
   */
  async of(name: string, id: string): Promise<number> {
    const folder = join(this.folder, name.toLowerCase())
    await mkdir(folder, { recursive: true })
    for (;;) {
      const known = await this.#known(folder)
      const same = known.find((version) => version.id === id)
      if (same !== undefined) return same.number
      const number = (known.at(-1)?.number ?? 0) + 1
      try {
        /** Another process may have taken the number meanwhile. */
        await writeFile(join(folder, `${number}`), id, { flag: 'wx' })
        return number
      } catch (error) {
        if ((error as { code?: string }).code !== 'EEXIST') throw error
      }
    }
  }

  async #known(folder: string): Promise<{ number: number; id: string }[]> {
    const names = (await readdir(folder)).filter((name) => /^\d+$/.test(name))
    const versions = names.map(async (name) => ({
      number: Number(name),
      id: await readFile(join(folder, name), 'utf8'),
    }))
    return (await Promise.all(versions)).sort((a, b) => a.number - b.number)
  }
}
