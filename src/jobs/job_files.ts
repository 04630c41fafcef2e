import { readdir } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * `name` is the path below the folder, with `/`.
 */
export type JobFile = { name: string; url: string }

/**
 * The source files below a folder, sorted by name. A folder that does not exist holds none.
 */
export async function findJobFiles(folder: string): Promise<JobFile[]> {
  let entries
  try {
    entries = await readdir(folder, { recursive: true, withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return []
    }
    throw error
  }
  return entries
    .filter(
      (entry) => entry.isFile() && /\.(ts|js)$/.test(entry.name) && !entry.name.endsWith('.d.ts')
    )
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return {
        name: path.slice(folder.length + 1).replaceAll(sep, '/'),
        url: pathToFileURL(path).href,
      }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
