/*
 * Ends with 0 when node_modules holds what package-lock.json says, else with 1. Reads npm's own account of what it put there
 * (node_modules/.package-lock.json, written last), so an install that was interrupted does not count.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { dirname, join } from 'node:path'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

function packagesOf(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8')).packages
}

/**
 * Packages for other platforms are optional and not installed; an optional one that is there has to be the right one.
 */
function matches() {
  const wanted = packagesOf('package-lock.json')
  const installed = packagesOf('node_modules/.package-lock.json')
  return Object.entries(wanted).every(([path, { version, integrity, optional, link }]) => {
    if (path === '' || link) return true
    const found = installed[path]
    if (!found) return optional === true
    return (
      found.version === version &&
      found.integrity === integrity &&
      existsSync(join(root, path, 'package.json'))
    )
  })
}

try {
  process.exitCode = matches() ? 0 : 1
} catch {
  process.exitCode = 1
}
