import { execFile } from 'node:child_process'
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from '@japa/runner'
import typescript from 'typescript'
import { DataFolder } from '../../bin/start/data_folder.ts'
import { bootApp, ROOT, spawnNode } from '#tests/helpers/app'
import { commandLine } from '#tests/helpers/command_line'
import { knowDocuments } from '#tests/helpers/known_documents'
import { defineConfig } from '../../src/config.ts'
import { toMilliseconds } from '../../src/durations.ts'
import { freePort } from '#tests/helpers/ports'
import { waitFor } from '#tests/helpers/wait'

const run = promisify(execFile)
const path = (name: string) => fileURLToPath(new URL(name, ROOT))
const readme = readFileSync(path('README.md'), 'utf8')
const cleanupPage = readFileSync(path('docs/cleanup.md'), 'utf8')
const alertsPage = readFileSync(path('docs/alerts.md'), 'utf8')
const runningPage = readFileSync(path('docs/running.md'), 'utf8')
const topologyPage = readFileSync(path('docs/topology.md'), 'utf8')
const schedulesPage = readFileSync(path('docs/schedules.md'), 'utf8')
const flowsPage = readFileSync(path('docs/flows.md'), 'utf8')

/** Fenced blocks with this info string, their indentation taken off. */
function blocks(info: string, page = readme): string[] {
  return [...page.matchAll(/^( *)```(.*)\n([\s\S]*?)^ *```$/gm)]
    .filter(([, , found]) => found.trim() === info)
    .map(([, indent, , text]) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
}

const FORMAT = {
  getCurrentDirectory: () => path('.'),
  getCanonicalFileName: (name: string) => name,
  getNewLine: () => '\n',
}

/** What a host declares for itself and the examples take for granted. */
const HOST = `/// <reference types="@adonisjs/core/providers/edge_provider" />
import '@adonisjs/core/http'
import '@adonisjs/lucid/database_provider'
import '@adonisjs/redis/redis_provider'
import 'adonis-queuedeck/queuedeck_provider'
declare module '@adonisjs/redis/types' {
  interface RedisConnections { main: {} }
}
declare module '@adonisjs/core/http' {
  interface HttpContext { auth: { user?: { id: number; isAdmin: boolean } } }
}
declare module '#start/kernel' {
  export const middleware: { auth(): import('@adonisjs/core/types/http').MiddlewareFn }
}
`

/** A connection as it stands in a host's config/redis.ts. */
function inRedisConfig(connection: string): string {
  return `import { readFileSync } from 'node:fs'
import { defineConfig } from '@adonisjs/redis'
declare const env: { get(name: string): string }
void [readFileSync, env]
export default defineConfig({ connection: 'main', connections: { main: ${connection} } })
`
}

test.group('README', () => {
  test('shows code that type-checks', async ({ assert, cleanup }) => {
    mkdirSync(path('tmp'), { recursive: true })
    const folder = mkdtempSync(path('tmp/readme-'))
    cleanup(() => rmSync(folder, { recursive: true, force: true }))
    const connections = blocks('ts connection', topologyPage).map(inRedisConfig)
    assert.isAtLeast(connections.length, 3)
    const pages = [
      readme,
      cleanupPage,
      alertsPage,
      runningPage,
      topologyPage,
      flowsPage,
      schedulesPage,
    ]
    const examples = [...pages.flatMap((page) => blocks('ts', page)), ...connections]
    assert.isAtLeast(examples.length, 5 + connections.length)
    examples.forEach((text, index) => writeFileSync(join(folder, `example_${index}.ts`), text))
    writeFileSync(join(folder, 'host.ts'), HOST)

    const { exports } = JSON.parse(readFileSync(path('package.json'), 'utf8')) as {
      exports: Record<string, string>
    }
    const job = examples.findIndex((text) => text.includes('class SendWelcome'))
    const published = Object.entries(exports).map(([name, target]) => [
      name.replace('.', 'adonis-queuedeck'),
      [path(target.replace('./build/', '').replace(/\.js$/, '.ts'))],
    ])
    const { options, fileNames } = typescript.parseJsonConfigFileContent(
      {
        extends: path('tsconfig.json'),
        compilerOptions: {
          rootDir: path('.'),
          noEmit: true,
          noUnusedLocals: false,
          paths: {
            ...Object.fromEntries(published),
            '#jobs/mail/send_welcome': [join(folder, `example_${job}.ts`)],
          },
        },
        include: [join(folder, '*.ts')],
        exclude: [],
      },
      typescript.sys,
      folder
    )
    assert.lengthOf(fileNames, examples.length + 1)
    // Only the examples: what they use of this package is checked elsewhere.
    const program = typescript.createProgram(fileNames, options)
    const problems = [
      ...program.getOptionsDiagnostics(),
      ...program.getGlobalDiagnostics(),
      ...fileNames.flatMap((name) => {
        const file = program.getSourceFile(name)!
        return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
      }),
    ]
    assert.equal(typescript.formatDiagnostics(problems, FORMAT), '')
  })

  test('leads through a tour that works', async ({ assert, cleanup }) => {
    const folder = mkdtempSync(join(tmpdir(), 'queuedeck-tour-'))
    await knowDocuments(join(folder, 'queuedeck.sqlite'))
    const port = await freePort()
    const env = { QUEUEDECK_FOLDER: folder, PORT: String(port) }
    const start = spawnNode(['--disable-warning=ExperimentalWarning', 'bin/start.ts'], env)
    cleanup(async () => {
      await start.stop('SIGTERM', 60_000)
      rmSync(folder, { recursive: true, force: true })
    })
    await waitFor('everything to run', () => start.output().includes('Everything runs'), {
      within: 90_000,
    }).catch((error) => assert.fail(`${error.message}\n${start.output()}`))

    const limits = [...blocks('sh limits'), ...blocks('sh lost')].flatMap((text) =>
      text.trim().split('\n')
    )
    assert.isAtLeast(limits.length, 3)
    const tour = blocks('sh tour').flatMap((text) => text.trim().split('\n'))
    const atNpm = /^npm run ace -- (.*)$/
    const [first, ...others] = [
      ...tour,
      ...limits.map((line) => line.replace(/^node ace /, 'npm run ace -- ')),
    ]
    assert.isAtLeast(others.length, 10)

    // One as it stands there; the others as `npm run ace` would run them, in this process.
    await run('sh', ['-c', first!], {
      cwd: path('.'),
      env: { ...process.env, ...env },
      timeout: 60_000,
    }).catch((error) => assert.fail(`${first}\n${error.message}\n${error.stdout}`))
    const { redis, database } = new DataFolder(folder).running()!
    const app = await bootApp(
      {
        ...env,
        NODE_ENV: 'development',
        LOG_LEVEL: 'warn',
        HOST: '127.0.0.1',
        REDIS_HOST: redis.host,
        REDIS_PORT: String(redis.port),
        REDIS_PASSWORD: redis.password,
        DB_CONNECTION: 'sqlite',
        DB_DATABASE: database!,
      },
      'console'
    )
    const ace = await commandLine(app)
    for (const command of others) {
      const [, text] = atNpm.exec(command)!
      const { stdout } = await run('sh', ['-c', `printf '%s\\0' ${text}`])
      const { code, output } = await ace(stdout.split('\0').slice(0, -1))
      assert.equal(code, 0, `${command}\n${output}`)
    }
    await app.terminate()
    for (const address of readme.match(/http:\/\/127\.0\.0\.1:3333\/\S*?(?=[.,]?\s)/g) ?? []) {
      const response = await fetch(address.replace(':3333', `:${port}`))
      assert.equal(response.status, 200, address)
    }
  }).timeout(240_000)

  test('names every clock of the cleanup with its default', ({ assert }) => {
    const { kept } = defineConfig({})
    const stated = new Map<string, string>()
    for (const [, names, value] of cleanupPage.matchAll(/^\| (`\w.*?) \|.*\| (.*) \|$/gm)) {
      for (const [, name] of names.matchAll(/`([\w.]+)`/g)) stated.set(name, value)
    }
    const clocks = Object.entries(kept).flatMap(([name, clock]) =>
      clock !== null && typeof clock === 'object'
        ? Object.entries(clock).map(([part, its]) => [`${name}.${part}`, its as number] as const)
        : [[name, clock] as const]
    )
    assert.sameMembers(
      [...stated.keys()],
      clocks.map(([name]) => name)
    )
    for (const [name, clock] of clocks) {
      const [, text] = /^`?(\w+)`?/.exec(stated.get(name)!)!
      assert.equal(toMilliseconds(text === '0' ? 0 : text, name), clock, name)
    }
  })

  test('names every rule of alerts with its defaults', ({ assert }) => {
    const { rules } = defineConfig({}).alerts
    const rows = [...alertsPage.matchAll(/^\| `(\w+)` \| \w+ \| (.*) \| (.*) \|$/gm)]
    assert.sameMembers(
      rows.map(([, name]) => name),
      Object.keys(rules)
    )
    for (const [, name, opens, closes] of rows) {
      const { threshold, clear, for: during } = rules[name as keyof typeof rules]!
      const numbers = (text: string) => [
        ...[...text.matchAll(/`(\d+[smh])`/g)].map(([, value]) => toMilliseconds(value, name)),
        ...[...text.matchAll(/(\d+) %/g)].map(([, value]) => Number(value)),
      ]
      if (threshold > 1) assert.include(numbers(opens), threshold, name)
      if (during > 0) assert.include(numbers(opens), during, name)
      if (closes.startsWith('below')) assert.include(numbers(closes), clear, name)
    }
  })

  test('names only commands, variables and errors that there are', ({ assert }) => {
    const { scripts } = JSON.parse(readFileSync(path('package.json'), 'utf8'))
    for (const [, name] of readme.matchAll(/`npm run ([\w:-]+)/g)) assert.property(scripts, name)
    const known =
      readFileSync(path('start/env.ts'), 'utf8') +
      readFileSync(path('bin/start/settings.ts'), 'utf8') +
      /** Codes of errors look the same. */
      readFileSync(path('src/errors.ts'), 'utf8')
    for (const [name] of readme.matchAll(/(?<=`)[A-Z]+_[A-Z_]+(?=`)/g)) assert.include(known, name)
  })
})
