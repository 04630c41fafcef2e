import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from './free_port.ts'
import { StartError } from './messages.ts'
import { identify, type ProcessIdentity } from './process_identity.ts'
import { checkRedis, type RedisAddress } from './redis_check.ts'
import type { RedisProgram } from './redis_program.ts'

/**
 * The server's keeper. It reads a pipe that this process and every child which uses the server hold open, so its end comes when the
 * last of them is gone, however it went; only then the server is told to stop. The server is the keeper's own child, hence its id
 * cannot have become another process's.
 */
const KEEPER = `
trap '' INT HUP TERM
"$1" "$2" </dev/null >>"$3" 2>&1 &
server=$!
echo "$server"
exec >&- 2>&-
cat >/dev/null
kill -TERM "$server" 2>/dev/null
wait "$server"
`

/** How long the server may take for its start (a long file to read), in milliseconds. */
const LONGEST_START = 60_000

/** How many ports are tried where others take them first. */
const MOST_PORTS = 3

/**
 * A Redis of our own: on this machine only, behind a password of its own, with an append-only file.
 */
export class PrivateRedis {
  readonly address: RedisAddress
  readonly identity: ProcessIdentity
  readonly #keeper: ChildProcess

  private constructor(address: RedisAddress, identity: ProcessIdentity, keeper: ChildProcess) {
    this.address = address
    this.identity = identity
    this.#keeper = keeper
  }

  /**
   * Starts the server on a free port and waits until it takes writes. A port that was taken before the server had it is given up for
   * another.
   *
   * @param pickPort  Finds a port that is free now.
   * @throws StartError with what it wrote when it ends instead
   */
  static async start(
    program: RedisProgram,
    folder: string,
    pickPort = freePort
  ): Promise<PrivateRedis> {
    const log = join(folder, 'logs/redis.log')
    for (let attempt = 1; ; attempt++) {
      const server = await PrivateRedis.#spawn(program, folder, await pickPort(), log)
      try {
        await server.#ready()
        return server
      } catch (error) {
        await server.stop()
        const said = readLog(log)
        if (/address already in use/i.test(said) && attempt < MOST_PORTS) continue
        const last = said.split('\n').at(-1)!.slice(0, 300)
        throw new StartError(
          `The private Redis did not start (${(error as Error).message})${last ? `; it wrote: ${last}` : ''}; see ${log}.`
        )
      }
    }
  }

  static async #spawn(program: RedisProgram, folder: string, port: number, log: string) {
    const address = { host: '127.0.0.1', port, password: randomBytes(24).toString('base64url') }
    const settings = join(folder, 'redis/redis.conf')
    writeFileSync(settings, configuration(address, join(folder, 'redis')), { mode: 0o600 })
    rmSync(log, { force: true })

    const keeper = spawn('sh', ['-c', KEEPER, 'keeper', program.path, settings, log], {
      // A group of its own: Ctrl-C at the terminal is for this process, which stops the server last.
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, ...program.variables },
    })
    return new PrivateRedis(address, await serverOf(keeper), keeper)
  }

  /** To be held open by every process that uses the server. */
  get lifeline(): Writable {
    return this.#keeper.stdin!
  }

  /**
   * Lets go of the server and waits for its end: it writes its file to the disk first. Whoever else holds the lifeline must have
   * ended.
   */
  async stop(): Promise<void> {
    if (this.#keeper.exitCode !== null) return
    const ended = new Promise((resolve) => this.#keeper.once('exit', resolve))
    this.lifeline.end()
    await ended
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + LONGEST_START
    while (true) {
      try {
        return await checkRedis(this.address, this.identity.pid)
      } catch (error) {
        if (!identify(this.identity.pid) || performance.now() > deadline) throw error
        await pause(30)
      }
    }
  }
}

function configuration({ host, port, password }: RedisAddress, directory: string): string {
  return [
    `bind ${host}`,
    `port ${port}`,
    `requirepass ${password}`,
    `dir "${directory.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    'daemonize no',
    '',
  ].join('\n')
}

async function serverOf(keeper: ChildProcess): Promise<ProcessIdentity> {
  const line = await new Promise<string>((resolve, reject) => {
    keeper.once('error', reject)
    keeper.stdout!.setEncoding('utf8').once('data', resolve)
    keeper.stdout!.once('end', () => resolve(''))
  })
  return identify(Number(line)) ?? { pid: Number(line), started: '' }
}

function readLog(log: string): string {
  try {
    return readFileSync(log, 'utf8').trim()
  } catch {
    // It ended before it wrote anything.
    return ''
  }
}
