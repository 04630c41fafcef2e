import { readFileSync } from 'node:fs'

/**
 * Version of this package, as the list of workers shows it.
 */
export function packageVersion(): string {
  /** From the sources the file lies two folders up, from the build three. */
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8'))
      if (manifest.name === 'adonis-queuedeck') return manifest.version
    } catch {
      /** Not there: the next place. */
    }
  }
  return 'unknown'
}
