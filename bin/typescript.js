/*
 * Lets Node run the TypeScript of this repository: `node --import=./bin/typescript.js bin/server.ts`.
 *
 * It does what @poppinss/ts-exec does, but keeps what came out (and V8's code for it) in .queuedeck/compiled: a command starts in less
 * than half of the time, which counts where the tests start hundreds of processes. A folder that cannot be written costs time only.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire, enableCompileCache, registerHooks, setSourceMapsSupport } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../.queuedeck/compiled/', import.meta.url))
const MODULES = join(FOLDER, 'modules')

/** As tsconfig.json says, and as ts-exec reads it. */
const OPTIONS = {
  swcrc: false,
  sourceMaps: true,
  inlineSourcesContent: false,
  module: { type: 'es6' },
  jsc: {
    target: 'esnext',
    parser: { syntax: 'typescript', decorators: true, dynamicImport: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    experimental: { keepImportAttributes: true },
    keepClassNames: true,
  },
}

const require = createRequire(import.meta.url)
const VERSION = `${require('@swc/core/package.json').version} ${JSON.stringify(OPTIONS)}\n`

const digest = (...parts) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex')

function transformed(source, filename) {
  try {
    return require('@swc/core').transformSync(source, { ...OPTIONS, filename })
  } catch (error) {
    throw new SyntaxError(`${filename}\n${error.message}`)
  }
}

/** One file for each source; its first line tells from what it was made. */
function compiled(url, source) {
  const place = join(MODULES, `${digest(url)}.js`)
  const mark = `// ${digest(VERSION, source)}\n`
  try {
    const kept = readFileSync(place, 'utf8')
    if (kept.startsWith(mark)) return kept
  } catch {}

  const { code, map } = transformed(source, fileURLToPath(url))
  // The map begins a line later, behind the mark.
  const moved = JSON.stringify({ ...JSON.parse(map), mappings: `;${JSON.parse(map).mappings}` })
  const made = `${mark}${code}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(moved).toString('base64')}\n`
  try {
    const temporary = `${place}.${process.pid}`
    writeFileSync(temporary, made)
    renameSync(temporary, place)
  } catch {}
  return made
}

try {
  mkdirSync(MODULES, { recursive: true })
  enableCompileCache(join(FOLDER, 'code'))
} catch {}
// Those of other packages would be read and parsed with each of their modules, at every start.
setSourceMapsSupport(true, { nodeModules: false })

registerHooks({
  /** Ace names the commands it lists in a folder by `.js`, whatever they are written in. */
  resolve(specifier, context, next) {
    try {
      return next(specifier, context)
    } catch (error) {
      const isLocal = error.code === 'ERR_MODULE_NOT_FOUND' && error.url?.startsWith('file:')
      if (!isLocal || !error.url.endsWith('.js')) throw error
      try {
        return next(error.url.replace(/\.js$/, '.ts'), context)
      } catch {
        throw error
      }
    }
  },

  load(url, context, next) {
    if (context.format !== 'module-typescript') return next(url, context)
    const source = readFileSync(fileURLToPath(url.split('?')[0]), 'utf8')
    return { format: 'module', source: compiled(url, source), shortCircuit: true }
  },
})
