import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ROOT } from '#tests/helpers/app'
import { run } from './packed_package.ts'

/** npm writes into it, and what is a link here is the same file there. */
const OWN = '.package-lock.json'

/**
 * Gives an application the packages of this repository, as links where the file system can, and what its lock says of them. npm then adds
 * and removes what differs, instead of asking the registry about hundreds of packages and unpacking them.
 *
 * @param host  Its folder, with its package.json.
 */
export async function lendDependencies(host: string): Promise<void> {
  const from = fileURLToPath(new URL('node_modules', ROOT))
  const to = join(host, 'node_modules')
  await run('cp', ['-al', from, to]).catch(() => {
    rmSync(to, { recursive: true, force: true })
    return run('cp', ['-a', from, to])
  })
  rmSync(join(to, OWN))
  copyFileSync(join(from, OWN), join(to, OWN))

  const lock = JSON.parse(readFileSync(fileURLToPath(new URL('package-lock.json', ROOT)), 'utf8'))
  const { name, dependencies, devDependencies } = JSON.parse(
    readFileSync(join(host, 'package.json'), 'utf8')
  )
  lock.name = name
  lock.packages[''] = { name, dependencies, devDependencies }
  writeFileSync(join(host, 'package-lock.json'), JSON.stringify(lock))
}
