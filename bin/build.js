/*
 * Builds the package into build/: what tsc makes of the published folders, then what tsc leaves out (Lua scripts, templates,
 * assets, stubs) and the index of commands.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const BUILD = join(ROOT, 'build')

/** Made whole aside and put into place at the end: nobody meets half a package, not even another build. */
const ASIDE = join(ROOT, 'tmp', `build-${process.pid}`)

/** Folders whose files that are not TypeScript are part of the package. */
const CARRIED = ['src', 'resources/assets', 'resources/views', 'stubs']

/** Parts of them that belong to the application in this repository alone. */
const LEFT_OUT = ['resources/views/app']

function run(program, ...args) {
  const path = join(ROOT, 'node_modules', program)
  const { status } = spawnSync(process.execPath, [path, ...args], { cwd: ROOT, stdio: 'inherit' })
  if (status === 0) return
  console.error(`The package was not built: ${program} ended with ${status}`)
  process.exit(1)
}

function carry(folder) {
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })) {
    const path = relative(ROOT, join(entry.parentPath, entry.name))
    if (
      !entry.isFile() ||
      path.endsWith('.ts') ||
      LEFT_OUT.some((part) => path.startsWith(`${part}/`))
    )
      continue
    cpSync(join(ROOT, path), join(ASIDE, path), { recursive: true })
  }
}

process.on('exit', () => rmSync(ASIDE, { recursive: true, force: true }))
run('typescript/bin/tsc', '--project', 'tsconfig.build.json', '--outDir', ASIDE)
CARRIED.filter((folder) => existsSync(join(ROOT, folder))).forEach(carry)
run('@adonisjs/core/build/toolkit/main.js', 'index', relative(ROOT, join(ASIDE, 'commands')))
rmSync(BUILD, { recursive: true, force: true })
renameSync(ASIDE, BUILD)
console.log(`Built the package into ${BUILD}`)
