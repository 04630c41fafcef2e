import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { DashboardUrls } from './urls.ts'

const FOLDER = new URL('../../resources/assets/', import.meta.url)

/** Bundles made of files of other packages. */
const PACKAGES: Record<string, string> = {
  'htmx.js': 'htmx.org/dist/htmx.min.js',
  'alpine.js': '@alpinejs/csp/dist/cdn.min.js',
}

const TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

export type Asset = { name: string; hashed: string; type: string; body: Buffer }

/**
 * Styles and scripts of the pages, put together from their files once and named by their content, so that browsers keep them
 * for ever and a new release is seen at once.
 */
export class Assets {
  #byName = new Map<string, Asset>()
  #byHashedName = new Map<string, Asset>()
  #loading: Promise<void> | undefined

  load(): Promise<void> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  /** Addresses by plain name. */
  async urls(urls: DashboardUrls): Promise<Record<string, string>> {
    await this.load()
    return Object.fromEntries(
      [...this.#byName].map(([name, { hashed }]) => [name, urls.asset(hashed)])
    )
  }

  find(hashed: string): Asset | null {
    return this.#byHashedName.get(hashed) ?? null
  }

  async #load(): Promise<void> {
    const bundles: Record<string, string[]> = JSON.parse(
      await readFile(new URL('bundles.json', FOLDER), 'utf8')
    )
    for (const [name, files] of Object.entries(bundles)) {
      const parts = await Promise.all(files.map((file) => readFile(new URL(file, FOLDER))))
      this.#add(name, Buffer.concat(parts.flatMap((part) => [part, Buffer.from('\n')])))
    }
    for (const [name, file] of Object.entries(PACKAGES)) {
      this.#add(name, await readFile(fileURLToPath(resolve(file))))
    }
  }

  #add(name: string, body: Buffer): void {
    const hash = createHash('sha256').update(body).digest('base64url').slice(0, 12)
    const [stem, extension] = name.split('.')
    const asset = { name, hashed: `${stem}-${hash}.${extension}`, type: TYPES[extension], body }
    this.#byName.set(name, asset)
    this.#byHashedName.set(asset.hashed, asset)
  }
}

/**
 * A file of a package, wherever the package manager put it. Not every package exports its files, so it is found from what it
 * does export.
 */
function resolve(file: string): string {
  const [first, second] = file.split('/')
  const name = file.startsWith('@') ? `${first}/${second}` : first
  const entry = import.meta.resolve(name)
  const marker = `/node_modules/${name}/`
  const root = entry.slice(0, entry.lastIndexOf(marker) + marker.length)
  return `${root}${file.slice(name.length + 1)}`
}
