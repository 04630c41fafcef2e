import { execFileSync, spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import { ROOT } from '#tests/helpers/app'

type Ended = { code: number | null; output: string }

/**
 * A small package of one dependency, with this repository's scripts.
 */
function smallPackage(): string {
  const root = mkdtempSync(join(tmpdir(), 'queuedeck-dependencies-'))
  mkdirSync(join(root, 'bin/start'), { recursive: true })
  for (const file of ['bin/with_dependencies', 'bin/start/dependencies_match.js']) {
    cpSync(fileURLToPath(new URL(file, ROOT)), join(root, file))
  }
  const tiny = join(root, 'tiny')
  mkdirSync(tiny)
  writeFileSync(join(tiny, 'package.json'), JSON.stringify({ name: 'tiny', version: '1.0.0' }))
  execFileSync('npm', ['pack', '--silent'], { cwd: tiny, stdio: 'ignore' })
  writeFileSync(
    join(root, 'package.json'),
    JSON.stringify({
      name: 'small',
      type: 'module',
      dependencies: { tiny: 'file:tiny/tiny-1.0.0.tgz' },
    })
  )
  const lock = ['install', '--package-lock-only', '--no-audit', '--no-fund', '--silent']
  execFileSync('npm', lock, { cwd: root, stdio: 'ignore' })
  return root
}

function withDependencies(root: string, env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn('sh', [join(root, 'bin/with_dependencies'), 'sh', '-c', 'echo ran'], {
    cwd: tmpdir(),
    env: { ...process.env, ...env },
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (output += text))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })))
}

test.group('Locked dependencies', (group) => {
  let fresh: string
  let root: string
  group.setup(() => {
    fresh = smallPackage()
    return () => rmSync(fresh, { recursive: true, force: true })
  })
  group.each.setup(() => {
    root = mkdtempSync(join(tmpdir(), 'queuedeck-dependencies-'))
    cpSync(fresh, root, { recursive: true })
    return () => rmSync(root, { recursive: true, force: true })
  })

  test('are installed when they are missing, and not again', async ({ assert }) => {
    const first = await withDependencies(root)
    assert.deepEqual(first, { code: 0, output: 'Installing dependencies ...\nran\n' })
    assert.isTrue(existsSync(join(root, 'node_modules/tiny/package.json')))
    assert.deepEqual(await withDependencies(root), { code: 0, output: 'ran\n' })
  })

  test('are installed again when one is gone or an install was cut short', async ({ assert }) => {
    await withDependencies(root)
    for (const lost of ['node_modules/tiny/package.json', 'node_modules/.package-lock.json']) {
      rmSync(join(root, lost))
      assert.include((await withDependencies(root)).output, 'Installing')
      assert.isTrue(existsSync(join(root, lost)))
    }
  })

  test('are installed once by two who ask at the same time', async ({ assert }) => {
    const both = await Promise.all([withDependencies(root), withDependencies(root)])
    assert.deepEqual(
      both.map(({ code }) => code),
      [0, 0]
    )
    const all = both.map(({ output }) => output).join('')
    assert.lengthOf(all.match(/ran/g)!, 2)
    assert.lengthOf(all.match(/Installing/g)!, 1)
  })

  test('are installed although the last who tried was killed', async ({ assert }) => {
    mkdirSync(join(root, '.queuedeck'))
    const gone = spawn('true')
    await new Promise((resolve) => gone.once('exit', resolve))
    symlinkSync(String(gone.pid), join(root, '.queuedeck/install.lock'))
    assert.equal((await withDependencies(root)).code, 0)
    assert.throws(() => readlinkSync(join(root, '.queuedeck/install.lock')), /ENOENT/)
  })

  test('that cannot be had are named, with the log', async ({ assert }) => {
    const lock = join(root, 'package-lock.json')
    const unknown = `sha512-${Buffer.alloc(64).toString('base64')}`
    const text = readFileSync(lock, 'utf8')
      .replace('file:tiny/tiny-1.0.0.tgz', 'http://127.0.0.1:1/tiny.tgz')
      // npm would find the right one in its cache.
      .replace(/sha512-[^"]*/, unknown)
    writeFileSync(lock, text)
    const manifest = join(root, 'package.json')
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/file:[^"]*/, '1.0.0'))
    const { code, output } = await withDependencies(root, { npm_config_fetch_retries: '0' })
    assert.equal(code, 1)
    assert.match(
      output.trim().split('\n').at(-1)!,
      /^The dependencies could not be installed from the npm registry; see .*install\.log\.$/
    )
    assert.notInclude(output, 'ran')
  })
})
