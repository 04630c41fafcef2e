import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import { ROOT } from '#tests/helpers/app'

type Manifest = { exports: Record<string, string>; imports: Record<string, string> }

test.group('Package exports', () => {
  const path = (name: string) => fileURLToPath(new URL(name, ROOT))
  const { exports, imports } = JSON.parse(readFileSync(path('package.json'), 'utf8')) as Manifest

  test('are sources with the same place in the build', ({ assert }) => {
    for (const target of Object.values(exports)) {
      const source = target.replace('./build/', './').replace(/\.js$/, '.ts')
      // The index of commands is made by the build.
      if (source === './commands/main.ts') continue
      assert.isTrue(existsSync(path(source)), source)
    }
  })

  test('are what the application in this repository imports as #queuedeck', ({ assert }) => {
    const mirrored = Object.entries(exports)
      .filter(([name]) => name !== './commands')
      .map(([name, target]) => [
        name.replace(/^\./, '#queuedeck'),
        target.replace('./build/', './').replace(/\.js$/, '.ts'),
      ])
    const imported = Object.entries(imports).filter(([name]) => /^#queuedeck(\/|$)/.test(name))
    assert.deepEqual(Object.fromEntries(imported), Object.fromEntries(mirrored))
  })
})
