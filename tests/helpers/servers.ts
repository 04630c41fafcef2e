import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { chown, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import mysql from 'mysql2/promise'
import pg from 'pg'
import { type RedisProgram, redisProgram } from '../../bin/start/redis_program.ts'
import { freePort } from './ports.ts'
import { PrivateServer, type TestServer } from './private_server.ts'
import { prepareData } from './prepared_data.ts'

export type { TestServer, PrivateServer } from './private_server.ts'

const run = promisify(execFile)

const QUEUEDECK_FOLDER = fileURLToPath(new URL('../../.queuedeck', import.meta.url))

/** PostgreSQL and PgBouncer refuse to run as root, so root runs them as the user `nobody`. */
export const NOBODY = 65_534
export const isRoot = process.getuid?.() === 0
export const asNobody = isRoot
  ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
  : []

/**
 * The path of a program, or undefined where it is not installed. Debian keeps PostgreSQL's out of PATH.
 */
export function findProgram(...names: string[]): string | undefined {
  const base = '/usr/lib/postgresql'
  const versions = existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/sbin',
    ...versions.map((version) => join(base, version, 'bin')),
  ]
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path))
}

/**
 * What a Redis of one's own may differ in.
 */
export type RedisOptions = {
  /** A server of this test's own, which it may end, freeze or fill; otherwise all tests of the process share one. */
  own?: true
  /** Keeps its data through `halt()` and `start()`. */
  appendOnly?: boolean
  /** Further settings, e.g. `{ maxmemory: '20mb' }`. */
  settings?: Record<string, string>
  port?: number
}

const shared = new Map<string, Promise<PrivateServer>>()

/**
 * A Redis on a free port. Without options one for the whole process.
 */
export function redisServer(): Promise<TestServer>
export function redisServer(options: RedisOptions & { own: true }): Promise<PrivateServer>
export async function redisServer(options: RedisOptions = {}): Promise<TestServer> {
  if (options.own) return startRedis(options)
  return shareOnce('redis', () => startRedis({}))
}

/**
 * A PostgreSQL server on a free port, shared like the Redis: user `postgres`, no password. Make databases with `eachDatabase`.
 */
export function postgresServer(): Promise<TestServer>
export function postgresServer(options: { own: true }): Promise<PrivateServer>
export async function postgresServer(options: { own?: true } = {}): Promise<TestServer> {
  if (options.own) return startPostgres()
  return (
    sharedBeside('TEST_POSTGRES_PORT', 'postgres://postgres') ??
    shareOnce('postgres', () => startPostgres())
  )
}

/**
 * A MariaDB server on a free port, shared like the Redis: user `root`, no password.
 */
export function mariadbServer(): Promise<TestServer>
export function mariadbServer(options: { own: true }): Promise<PrivateServer>
export async function mariadbServer(options: { own?: true } = {}): Promise<TestServer> {
  if (options.own) return startMariadb()
  return (
    sharedBeside('TEST_MARIADB_PORT', 'mysql://root') ?? shareOnce('mariadb', () => startMariadb())
  )
}

/**
 * A server that all processes of one run share, started by bin/test_all.ts.
 */
function sharedBeside(variable: string, user: string): TestServer | undefined {
  const port = Number(process.env[variable])
  if (!port) return undefined
  return { host: '127.0.0.1', port, url: `${user}@127.0.0.1:${port}`, stop: async () => {} }
}

async function shareOnce(name: string, start: () => Promise<PrivateServer>): Promise<TestServer> {
  if (!shared.has(name)) shared.set(name, start())
  const { host, port, url } = await shared.get(name)!
  return { host, port, url, stop: async () => {} }
}

export async function temporaryFolder(name: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `queuedeck-${name}-`))
}

/** The Redis that `npm start` would run: the machine's, or the distribution's, unpacked beside what `npm start` keeps. */
let redisFound: Promise<RedisProgram> | undefined

/** How to run a Redis on this machine. */
export function redisToRun(): Promise<RedisProgram> {
  return (redisFound ??= redisProgram(QUEUEDECK_FOLDER, process.env))
}

async function startRedis(options: RedisOptions): Promise<PrivateServer> {
  const { path, variables } = await redisToRun()
  const directory = await temporaryFolder('redis')
  const port = options.port ?? (await freePort())
  const settings: Record<string, string> = {
    'port': String(port),
    'bind': '127.0.0.1',
    'dir': directory,
    'save': '',
    'appendonly': options.appendOnly ? 'yes' : 'no',
    'appendfsync': 'no',
    'enable-debug-command': 'yes',
    ...options.settings,
  }
  const isReady = async () => {
    const redis = new Redis({
      port,
      host: '127.0.0.1',
      lazyConnect: true,
      retryStrategy: () => null,
      password: settings.requirepass,
    })
    redis.on('error', () => {})
    try {
      await redis.connect()
      return (await redis.ping()) === 'PONG'
    } finally {
      redis.disconnect()
    }
  }
  return new PrivateServer({
    name: 'Redis',
    port,
    url: `redis://127.0.0.1:${port}`,
    directory,
    command: path,
    variables,
    args: Object.entries(await knownSettings(await redisToRun(), settings)).flatMap(
      ([key, value]) => [`--${key}`, value]
    ),
    isReady,
    stopSignal: 'SIGTERM',
    killSignal: 'SIGKILL',
  }).start()
}

/**
 * Redis before 7 does not know `enable-debug-command` (there DEBUG is always allowed) and refuses to start with it.
 */
async function knownSettings({ path, variables }: RedisProgram, settings: Record<string, string>) {
  const { stdout } = await run(path, ['--version'], { env: { ...process.env, ...variables } })
  const major = Number(/v=(\d+)/.exec(stdout)?.[1] ?? 7)
  if (major >= 7) return settings
  const { 'enable-debug-command': unknown, ...others } = settings
  return others
}

/** Whether a server of PostgreSQL, or a pooler in front of one, takes connections. */
export async function answersPostgres(port: number): Promise<boolean> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' })
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } finally {
    await client.end()
  }
}

async function startPostgres(): Promise<PrivateServer> {
  const [program, initdb] = [findProgram('postgres'), findProgram('initdb')]
  if (!program || !initdb) throw new Error('PostgreSQL (postgres, initdb) is not installed')
  const directory = await temporaryFolder('postgres')
  if (isRoot) await chown(directory, NOBODY, NOBODY)
  const data = join(directory, 'data')
  const settings = ['-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C.UTF-8']
  await prepareData(data, (folder) => [...asNobody, initdb, '-D', folder, ...settings], {
    cwd: directory,
  })

  const port = await freePort()
  const configuration = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: directory,
    fsync: 'off',
    max_connections: '200',
  }
  const serve = [...asNobody, program, '-D', data]
  return new PrivateServer({
    name: 'PostgreSQL',
    port,
    url: `postgres://postgres@127.0.0.1:${port}`,
    directory,
    command: serve[0],
    args: [
      ...serve.slice(1),
      ...Object.entries(configuration).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    ],
    isReady: () => answersPostgres(port),
    stopSignal: 'SIGINT',
    // SIGKILL would leave its own children behind for a moment, with the port and the shared memory.
    killSignal: 'SIGQUIT',
  }).start()
}

async function startMariadb(): Promise<PrivateServer> {
  const program = findProgram('mariadbd', 'mysqld')
  const install = findProgram('mariadb-install-db')
  if (!program || !install)
    throw new Error('MariaDB (mariadbd, mariadb-install-db) is not installed')
  const directory = await temporaryFolder('mariadb')
  const data = join(directory, 'data')
  const user = isRoot ? ['--user=root'] : []
  await prepareData(data, (folder) => [
    install,
    '--no-defaults',
    `--datadir=${folder}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    ...user,
  ])

  const port = await freePort()
  const isReady = async () => {
    const connection = await mysql.createConnection({ host: '127.0.0.1', port, user: 'root' })
    await connection.end()
    return true
  }
  return new PrivateServer({
    name: 'MariaDB',
    port,
    url: `mysql://root@127.0.0.1:${port}`,
    directory,
    command: program,
    args: [
      '--no-defaults',
      `--datadir=${data}`,
      `--socket=${join(directory, 'mariadb.sock')}`,
      `--pid-file=${join(directory, 'mariadb.pid')}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--innodb-flush-log-at-trx-commit=2',
      // Servers of tests are killed, machines are not: what was written is there without waiting for the disk.
      '--innodb-flush-method=nosync',
      '--skip-log-bin',
      ...user,
    ],
    isReady,
    stopSignal: 'SIGTERM',
    killSignal: 'SIGKILL',
  }).start()
}
