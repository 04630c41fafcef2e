import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Documents in this range are worth reading and quickly read, in bytes. */
const SMALLEST = 500
const LARGEST = 200_000

/**
 * The Markdown files of the packages installed beside the application, in the order of their names.
 *
 * @returns paths below `root`
 */
export async function installedDocuments(root: string, most: number): Promise<string[]> {
  const found: string[] = []
  for (const folder of await packageFolders(root)) {
    if (found.length >= most) break
    const names = await readdir(join(root, folder)).catch(() => [] as string[])
    for (const name of names.filter((one) => /^readme\.(md|markdown)$/i.test(one)).sort()) {
      const path = `${folder}/${name}`
      const { size } = await stat(join(root, path))
      if (size >= SMALLEST && size <= LARGEST) found.push(path)
    }
  }
  return found.slice(0, most)
}

async function packageFolders(root: string): Promise<string[]> {
  const folders: string[] = []
  for (const name of (await readdir(join(root, 'node_modules'))).sort()) {
    if (name.startsWith('.')) continue
    if (!name.startsWith('@')) {
      folders.push(`node_modules/${name}`)
      continue
    }
    for (const scoped of (await readdir(join(root, 'node_modules', name))).sort()) {
      folders.push(`node_modules/${name}/${scoped}`)
    }
  }
  return folders
}
