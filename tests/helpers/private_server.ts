import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { waitFor } from './wait.ts'

/**
 * Where a server answers.
 */
export type TestServer = {
  host: string
  port: number
  /** `redis://`, `postgres://` or `mysql://`. */
  url: string
  /** Ends the server; a shared one goes on until the test process ends. */
  stop(): Promise<void>
}

/**
 * How a server is run.
 */
export type ServerDefinition = {
  name: string
  port: number
  url: string
  /** Its data, log and pid file; removed with it. */
  directory: string
  command: string
  args: string[]
  /** Added to the environment of this process. */
  variables?: Record<string, string | undefined>
  /** Answers once the server takes commands; throws or answers false before. */
  isReady: () => Promise<boolean>
  stopSignal: NodeJS.Signals
  /** What ends it at once together with its own children. */
  killSignal: NodeJS.Signals
}

/**
 * Ends the server and removes its folder once our end of the pipe is gone, however we ended. A server that was stopped and
 * started again has another process id by then, hence the file.
 */
const WATCHDOG = `
cat > /dev/null
if [ -s "$1/server.pid" ]; then
  pid=$(cat "$1/server.pid")
  kill -CONT "$pid" 2> /dev/null; kill -"$2" "$pid" 2> /dev/null
  for turn in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2> /dev/null || break; sleep 0.2; done
  kill -KILL "$pid" 2> /dev/null
fi
rm -rf "$1"
`

/**
 * A database server of our own in a temporary folder. It can be ended, started again on the same port and data, and frozen.
 * It never outlives the test process, not even one that was killed.
 */
export class PrivateServer implements TestServer {
  readonly host = '127.0.0.1'
  readonly #definition: ServerDefinition
  #child: ChildProcess | undefined
  #watchdog: ChildProcess | undefined

  constructor(definition: ServerDefinition) {
    this.#definition = definition
  }

  get port() {
    return this.#definition.port
  }

  get url() {
    return this.#definition.url
  }

  get directory() {
    return this.#definition.directory
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /**
   * Starts the server, again on the data it had, and waits until it takes commands.
   */
  async start(): Promise<this> {
    const { name, command, args, variables, directory, killSignal, isReady } = this.#definition
    this.#watchdog ??= this.#guard(directory, killSignal)

    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, ...variables },
    })
    this.#child = child
    const log = createWriteStream(join(directory, 'output.log'), { flags: 'a' })
    child.stdout!.pipe(log, { end: false })
    child.stderr!.pipe(log, { end: false })
    child.once('close', () => log.end())
    const failure = new Promise<never>((_resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => reject(new Error(`${name} ended (${code ?? signal})`)))
    })
    failure.catch(() => {})
    if (child.pid) await writeFile(join(directory, 'server.pid'), String(child.pid))
    child.unref()
    ;[child.stdout, child.stderr].forEach((stream) =>
      (stream as unknown as { unref(): void }).unref()
    )

    try {
      await Promise.race([waitFor(`${name} to be ready`, isReady, { within: 60_000 }), failure])
    } catch (error) {
      const output = await readFile(join(directory, 'output.log'), 'utf8').catch(() => '')
      throw new Error(`${(error as Error).message}\n${output.slice(-2_000)}`, { cause: error })
    }
    return this
  }

  /**
   * Ends the server in order and keeps its data.
   */
  async halt(): Promise<void> {
    await this.#end(this.#definition.stopSignal)
  }

  /**
   * Ends the server as a power cut would and keeps its data.
   */
  async kill(): Promise<void> {
    await this.#end(this.#definition.killSignal)
  }

  /**
   * Freezes the server: it goes on accepting connections and says nothing.
   */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  /**
   * Lets a frozen server go on.
   */
  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  /**
   * Ends the server for good and removes its data.
   */
  async stop(): Promise<void> {
    await this.#end(this.#definition.killSignal)
    this.#watchdog?.stdin!.end()
    this.#watchdog = undefined
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.ref()
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill('SIGCONT')
    child.kill(signal)
    const impatience = setTimeout(() => child.kill('SIGKILL'), 60_000)
    await ended
    clearTimeout(impatience)
    this.#child = undefined
    await rm(join(this.directory, 'server.pid'), { force: true })
  }

  #guard(directory: string, killSignal: NodeJS.Signals): ChildProcess {
    const watchdog = spawn(
      'sh',
      ['-c', WATCHDOG, 'watchdog', directory, killSignal.replace('SIG', '')],
      { stdio: ['pipe', 'ignore', 'ignore'], detached: true }
    )
    watchdog.unref()
    ;(watchdog.stdin as unknown as { unref(): void }).unref()
    return watchdog
  }
}
