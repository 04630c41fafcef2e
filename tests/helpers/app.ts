import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ApplicationService, IgnitorOptions } from '@adonisjs/core/types'
import { Ignitor } from '@adonisjs/core'
import { createDatabase, type TestDatabase } from './databases.ts'
import { freePort } from './ports.ts'
import { redisServer } from './servers.ts'
import { waitFor } from './wait.ts'

/**
 * Root of the repository.
 */
export const ROOT = new URL('../../', import.meta.url)

/**
 * Variables that let the application in this repository use the given servers and nothing else of this machine.
 * Without arguments: the shared Redis and a new SQLite file.
 */
export async function applicationEnv(
  options: { redisPort?: number; database?: TestDatabase; env?: Record<string, string> } = {}
): Promise<Record<string, string>> {
  const redisPort = options.redisPort ?? (await redisServer()).port
  const database = options.database ?? (await createDatabase())
  return {
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    HOST: '127.0.0.1',
    PORT: String(await freePort()),
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: String(redisPort),
    ...database.env,
    ...options.env,
  }
}

/**
 * A process of the application: an Ace command or the web server.
 */
export type AppProcess = {
  child: ChildProcess
  pid: number
  /** Everything it wrote so far, both streams. */
  output(): string
  stdout(): string
  stderr(): string
  /** Exit code (null after a signal); resolves when both streams are at their end. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Sends a signal (SIGTERM) and waits for its end; SIGKILL follows after `within` (60 s). */
  stop(signal?: NodeJS.Signals, within?: number): Promise<{ code: number | null }>
}

let booted = false

const children = new Set<ChildProcess>()
process.once('exit', () => children.forEach((child) => child.kill('SIGKILL')))

/**
 * Runs a program of the repository (`['ace.js', 'queue:work']`, `['bin/start.js']`) with Node.
 *
 * @param env  Added to a small environment: PATH, HOME, TMPDIR and what this process runs under.
 */
export function spawnNode(
  args: string[],
  env: Record<string, string>,
  options: { cwd?: string | URL; stdin?: 'ignore' | 'pipe' } = {}
): AppProcess {
  const child = spawn(process.execPath, args, {
    cwd: options.cwd ?? fileURLToPath(ROOT),
    env: { ...inheritedEnv(), ...env },
    stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  const written = { all: '', out: '', err: '' }
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    written.all += text
    written.out += text
  })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    written.all += text
    written.err += text
  })
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => {
      children.delete(child)
      resolve({ code, signal })
    })
    child.once('error', () => resolve({ code: null, signal: null }))
  })
  return {
    child,
    pid: child.pid!,
    output: () => written.all,
    stdout: () => written.out,
    stderr: () => written.err,
    exited,
    async stop(signal = 'SIGTERM', within = 60_000) {
      child.kill(signal)
      const gaveUp = new AbortController()
      const ended = await Promise.race([
        exited,
        pause(within, null, { signal: gaveUp.signal }).catch(() => null),
      ])
      gaveUp.abort()
      if (!ended) child.kill('SIGKILL')
      return exited
    },
  }
}

/**
 * Runs an Ace command to its end, or for `within` (120 s) at most.
 */
export async function runAce(
  args: string[],
  env: Record<string, string>,
  within = 120_000
): Promise<{ code: number | null; output: string; stdout: string; stderr: string }> {
  const ace = spawnNode(['ace.js', ...args], env)
  const impatience = setTimeout(() => ace.child.kill('SIGKILL'), within)
  const { code } = await ace.exited
  clearTimeout(impatience)
  return { code, output: ace.output(), stdout: ace.stdout(), stderr: ace.stderr() }
}

/**
 * Creates the tables of the application; fails with what the command printed.
 */
export async function migrate(env: Record<string, string>): Promise<void> {
  const { code, output } = await runAce(['migration:run', '--force'], env)
  if (code !== 0) throw new Error(`migration:run ended with ${code}\n${output}`)
}

/**
 * Starts the web server as its own process, and answers once it takes requests.
 */
export async function startWeb(
  env: Record<string, string>
): Promise<AppProcess & { url: string; port: number }> {
  const web = spawnNode(['--import=./bin/typescript.js', 'bin/server.ts'], env)
  const url = `http://${env.HOST}:${env.PORT}`
  let ended = false
  void web.exited.then(() => (ended = true))
  await waitFor(
    'the web server to answer',
    async () => ended || Boolean(await fetch(url, { redirect: 'manual' }))
  ).catch((error) => {
    web.child.kill('SIGKILL')
    throw new Error(`${error.message}\n${web.output()}`)
  })
  if (ended) throw new Error(`The web server ended at its start\n${web.output()}`)
  return { ...web, url, port: Number(env.PORT) }
}

/**
 * Starts `queue:work` as its own process. Its readiness is the caller's to wait for: a worker that registered itself, say.
 */
export function startWorker(env: Record<string, string>, args: string[] = []): AppProcess {
  return spawnNode(['ace.js', 'queue:work', ...args], env)
}

/**
 * Boots the application in this repository in this very process, as a console or web application would, without running
 * anything. Once a process: its config files read the variables when they are imported, and a module is imported once. For more
 * than one, or other settings, see `hostApp` or start a process. `app.terminate()` closes all connections.
 */
export async function bootApp(
  env: Record<string, string>,
  environment: 'web' | 'console' | 'test' = 'test'
): Promise<ApplicationService> {
  if (booted)
    throw new Error(
      'The application can be booted once a process: use hostApp() or a process of its own'
    )
  booted = true
  Object.assign(process.env, env)
  const importer: IgnitorOptions['importer'] = (path) =>
    path.startsWith('./') || path.startsWith('../')
      ? import(new URL(path, ROOT).href)
      : import(path)
  const app = new Ignitor(ROOT, { importer }).createApp(environment)
  await app.init()
  await app.boot()
  await app.start(() => {})
  return app
}

function inheritedEnv(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'CI', 'LD_LIBRARY_PATH']
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] ? [[name, process.env[name]!]] : []))
  )
}
