import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import typescript from 'typescript'
import { ROOT } from '#tests/helpers/app'
import { packedPackage } from './packed_package.ts'

type Exports = Record<string, string>

test.group('npm pack', () => {
  test('holds everything that it exports, and nothing of the application', async ({ assert }) => {
    const files = (await packedPackage()).files
    const manifest = JSON.parse(readFileSync(fileURLToPath(new URL('package.json', ROOT)), 'utf8'))
    for (const path of Object.values(manifest.exports as Exports)) {
      assert.include(files, path.slice(2))
      assert.include(files, path.slice(2).replace(/\.js$/, '.d.ts'))
    }
    for (const path of [
      'package.json',
      'README.md',
      'LICENSE.md',
      'build/commands/commands.json',
    ]) {
      assert.include(files, path)
    }
    for (const folder of [
      'src/transport/scripts/lua',
      'stubs/config',
      'stubs/make',
      'stubs/start',
    ]) {
      assert.isTrue(
        files.some((file) => file.startsWith(`build/${folder}/`)),
        folder
      )
    }
    for (const folder of ['resources/views', 'resources/assets']) {
      assert.isTrue(
        files.some((file) => file.startsWith(`build/${folder}/`)),
        folder
      )
    }
    const others = files.filter(
      (file) =>
        !file.startsWith('build/') && !['package.json', 'README.md', 'LICENSE.md'].includes(file)
    )
    assert.isEmpty(others)
    assert.isEmpty(
      files.filter((file) => /\.tsbuildinfo$|resources\/views\/app\/|\.spec\./.test(file))
    )
    assert.isEmpty(files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')))
  })

  test('imports only files that are there and packages that it names', async ({ assert }) => {
    await packedPackage()
    const build = fileURLToPath(new URL('build/', ROOT))
    const manifest = JSON.parse(readFileSync(join(build, '../package.json'), 'utf8'))
    const named = new Set([
      ...Object.keys(manifest.dependencies),
      ...Object.keys(manifest.peerDependencies),
    ])
    const files = (await packedPackage()).files.filter((file) => file.endsWith('.js'))
    const dangling: string[] = []
    for (const file of files) {
      const path = join(build, '..', file)
      if (file.includes('/resources/')) continue
      const text = readFileSync(path, 'utf8')
      for (const { fileName: target } of typescript.preProcessFile(text).importedFiles) {
        if (target.startsWith('node:')) continue
        if (target.startsWith('.')) {
          if (!existsSync(join(dirname(path), target))) dangling.push(`${file}: ${target}`)
          continue
        }
        const name = target
          .split('/')
          .slice(0, target.startsWith('@') ? 2 : 1)
          .join('/')
        if (!named.has(name)) dangling.push(`${file}: ${target}`)
      }
    }
    assert.deepEqual(dangling, [])
  })
})
