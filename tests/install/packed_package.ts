import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ROOT } from '#tests/helpers/app'

export const run = promisify(execFile)

export type Packed = { tarball: string; files: string[] }

let packed: Promise<Packed> | undefined

/**
 * Builds and packs this package, once a process.
 */
export function packedPackage(): Promise<Packed> {
  packed ??= pack()
  return packed
}

async function pack(): Promise<Packed> {
  const folder = mkdtempSync(join(tmpdir(), 'queuedeck-pack-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const cwd = fileURLToPath(ROOT)
  await run(process.execPath, ['bin/build.js'], { cwd }).catch((error) => {
    throw new Error(`${error.message}\n${error.stdout}`)
  })
  const { stdout } = await run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
    { cwd, maxBuffer: 16 * 1024 * 1024 }
  )
  const [{ filename, files }] = JSON.parse(stdout) as {
    filename: string
    files: { path: string }[]
  }[]
  return { tarball: join(folder, filename), files: files.map(({ path }) => path) }
}
