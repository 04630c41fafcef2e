/*
 * `npm start`: everything that Queuedeck needs, as children of one process. A private Redis and SQLite (or the servers that
 * REDIS_HOST and DB_CONNECTION name), the migrations, the web server, one worker, and on the first start the documents to work on.
 *
 * Ctrl-C and SIGTERM end it in order: the worker finishes or hands back what it runs, the Redis is last. A second Ctrl-C does not
 * wait for running jobs. When this process is killed, its children notice and end in the same order; what a killed machine leaves
 * behind is cleared by the next start.
 */
import { createServer } from 'node:net'
import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Child } from './start/child.ts'
import { DataFolder } from './start/data_folder.ts'
import { KeptChild } from './start/kept_child.ts'
import { say, StartError } from './start/messages.ts'
import { PrivateRedis } from './start/private_redis.ts'
import { endProcess } from './start/process_identity.ts'
import { checkRedis } from './start/redis_check.ts'
import { redisProgram } from './start/redis_program.ts'
import { readSettings, type Settings, type Variables } from './start/settings.ts'

/** How long a process that a killed start left behind may take to end, and the first page to come, in milliseconds. */
const PATIENCE = { leftover: 45_000, firstPage: 60_000 }
const DASHBOARD = '/admin/queue'

/** Signals within this many milliseconds are one. */
const ECHO = 500

let redis: PrivateRedis | undefined
let folder: DataFolder | undefined
let step: Child | undefined
const kept: KeptChild[] = []
const stopped = Promise.withResolvers<void>()
let signals = 0
let lastSignal = -Infinity

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // Ctrl-C comes twice: from the terminal, and passed on by npm.
    const isEcho = performance.now() - lastSignal < ECHO
    lastSignal = performance.now()
    if (isEcho) return
    signals += 1
    if (signals === 1) {
      say('Stopping: running jobs may finish (once more: do not wait for them) ...')
      stopped.resolve()
    } else {
      say('Not waiting for running jobs')
      kept.forEach(({ child }) => child.tell(signals > 2 ? 'SIGKILL' : 'SIGTERM'))
    }
    step?.tell('SIGTERM')
  })
}

try {
  await start(readSettings())
  await Promise.race([stopped.promise, ...kept.map(({ gaveUp }) => gaveUp)])
} catch (error) {
  process.exitCode = 1
  console.error(error instanceof StartError ? error.message : error)
}
await stop()

async function start(settings: Settings): Promise<void> {
  folder = new DataFolder(settings.folder)
  folder.open()
  await clearLeftovers(folder)
  await assertFree(settings.host, settings.port)

  let address = settings.redis
  if (address) {
    say(`Using the Redis at ${address.host}:${address.port} ...`)
    await checkRedis(address)
  } else {
    const program = await redisProgram(settings.folder, settings.variables)
    say('Starting a private Redis ...')
    redis = await PrivateRedis.start(program, settings.folder)
    address = redis.address
  }
  if (signals > 0) return

  const variables: Variables = {
    ...settings.variables,
    HOST: settings.host,
    PORT: String(settings.port),
    REDIS_HOST: address.host,
    REDIS_PORT: String(address.port),
    REDIS_PASSWORD: address.password,
  }
  const options = {
    variables,
    logs: join(settings.folder, 'logs'),
    lifeline: redis?.lifeline,
  }
  rotateLogs(options.logs)
  const database = variables.DB_CONNECTION ?? 'sqlite'
  say(`Migrating the database (${database}) ...`)
  await runStep({ ...options, name: 'migration', args: ['ace.js', 'migration:run', '--force'] })
  if (signals > 0) return

  say('Starting the web server and a worker ...')
  const note = () =>
    folder!.note({
      address: addressOf(settings),
      redis: address,
      database: variables.DB_DATABASE ?? null,
      processes: [
        ...kept.map(({ name, child }) => ({ name, ...child.identity })),
        ...(redis ? [{ name: 'redis', ...redis.identity }] : []),
      ],
    })
  const keep = (name: string, args: string[]) =>
    kept.push(new KeptChild({ ...options, name, args, follows: true }, note))
  keep('web server', ['--import=./bin/typescript.js', 'bin/server.ts'])
  keep('worker', ['ace.js', 'queue:work'])
  note()

  await firstPage(settings)
  if (signals > 0) return
  say(`The dashboard is at ${addressOf(settings)}`)

  const documents = await runStep({
    ...options,
    name: 'documents',
    args: ['ace.js', 'demo:documents', '--once'],
  })
  if (signals > 0) return
  say(`Documents: ${documents ?? 'sent'}`)
  say(`Everything runs; logs are in ${options.logs}. Ctrl-C stops it`)
}

async function stop(): Promise<void> {
  await Promise.all(kept.map((one) => one.stop()))
  await redis?.stop()
  folder?.close()
  if (kept.length > 0) say('Stopped; nothing is left running')
}

/**
 * Ends what a start that was killed has left behind, the Redis last: the others need it to hand back their jobs.
 */
async function clearLeftovers(last: DataFolder): Promise<void> {
  const processes = last.running()?.processes ?? []
  const isRedis = ({ name }: { name: string }) => name === 'redis'
  const end = (group: typeof processes) =>
    Promise.all(group.map((one) => endProcess(one, PATIENCE.leftover)))
  if (processes.length > 0) say('The last start did not end in order: clearing up after it ...')
  await end(processes.filter((one) => !isRedis(one)))
  await end(processes.filter(isRedis))
}

/**
 * @throws StartError when something else listens there, or nothing may
 */
async function assertFree(host: string, port: number): Promise<void> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, resolve)
    })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') {
      throw new StartError(
        `Port ${port} of ${host} is taken by another program: stop that one, or set PORT to a free port.`
      )
    }
    throw new StartError(`Cannot listen on ${host}:${port} (${code}): set HOST and PORT to others.`)
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

/**
 * Runs an Ace command to its end and answers what it said last; null when it said nothing.
 *
 * @throws StartError with why it failed
 */
async function runStep(options: ConstructorParameters<typeof Child>[0]): Promise<string | null> {
  const child = (step = new Child(options))
  const { code } = await child.ended
  step = undefined
  if (code === 0 || signals > 0) return child.news
  const why = child.complaint ?? `exit code ${code}`
  throw new StartError(`The step "${child.name}" failed: ${why}; see ${child.log}.`)
}

async function firstPage(settings: Settings): Promise<void> {
  const deadline = performance.now() + PATIENCE.firstPage
  const isThere = async () => {
    const response = await fetch(addressOf(settings), { redirect: 'manual' })
    await response.arrayBuffer()
    if (response.status >= 500) {
      throw new StartError(
        `The dashboard answers with ${response.status}; see ${join(settings.folder, 'logs')}.`
      )
    }
    return true
  }
  while (signals === 0) {
    const answered = await isThere().catch((error) => {
      if (error instanceof StartError) throw error
      // Nobody listens yet.
      return false
    })
    if (answered) return
    if (performance.now() > deadline) {
      throw new StartError(
        `The web server did not answer within ${PATIENCE.firstPage / 1000} s; see ${join(settings.folder, 'logs')}.`
      )
    }
    await Promise.race([pause(50), ...kept.map(({ gaveUp }) => gaveUp)])
  }
}

function addressOf({ host, port }: Settings): string {
  const reachable = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}${DASHBOARD}`
}

/**
 * Each start writes new logs and keeps those of the start before it.
 */
function rotateLogs(logs: string): void {
  for (const name of ['migration', 'web server', 'worker', 'documents']) {
    const log = join(logs, `${name}.log`)
    rmSync(`${log}.old`, { force: true })
    try {
      renameSync(log, `${log}.old`)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}
