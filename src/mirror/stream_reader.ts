import net from 'node:net'
import tls from 'node:tls'
import type { RedisOptions } from 'ioredis'
import type { StreamReply } from './entries.ts'
import { ReplyError, ReplyParser, type Reply } from './reply_parser.ts'

/**
 * Where the reader connects: the options of the host's ioredis connection, of which it uses `host`, `port`, `path`, `tls`,
 * `family`, `username`, `password`, `db` and `connectTimeout`.
 */
export type ReaderOptions = Pick<
  RedisOptions,
  'host' | 'port' | 'path' | 'tls' | 'family' | 'username' | 'password' | 'db' | 'connectTimeout'
>

/**
 * Reads many streams with one blocking XREAD on a socket of its own. It does not repeat anything by itself: when the
 * connection breaks, the read in progress fails and the next one connects again.
 */
export class StreamReader {
  #options: ReaderOptions | (() => Promise<ReaderOptions>)
  #socket: net.Socket | undefined
  #parser = new ReplyParser()
  #pending: { resolve(reply: Reply): void; reject(error: Error): void; timer: NodeJS.Timeout }[] =
    []

  /**
   * @param options  A function is asked before each connection: behind a sentinel the address may change.
   */
  constructor(options: ReaderOptions | (() => Promise<ReaderOptions>)) {
    this.#options = options
  }

  /**
   * Entries after `ids[n]` of stream `keys[n]`, at most `count` of each stream; waits up to `block` milliseconds for the
   * first one. Answers nothing when none came.
   *
   * @throws when Redis cannot be reached, answers with an error, or keeps silent 5 s longer than it should
   */
  async read(count: number, block: number, keys: string[], ids: string[]): Promise<StreamReply[]> {
    if (!this.#socket) await this.#connect()
    const reply = await this.#send(
      ['XREAD', 'COUNT', String(count), 'BLOCK', String(block), 'STREAMS', ...keys, ...ids],
      block + 5_000
    )
    return Array.isArray(reply) ? reply : []
  }

  close(): void {
    this.#socket?.destroy()
  }

  async #connect(): Promise<void> {
    const options = typeof this.#options === 'function' ? await this.#options() : this.#options
    const timeout = options.connectTimeout ?? 10_000
    const target = options.path
      ? { path: options.path }
      : { host: options.host ?? '127.0.0.1', port: options.port ?? 6379, family: options.family }

    const socket = await new Promise<net.Socket>((resolve, reject) => {
      const made = options.tls
        ? tls.connect({ ...target, ...options.tls }, () => resolve(made))
        : net.connect(target, () => resolve(made))
      made.setTimeout(timeout, () => made.destroy(new Error(`no connection within ${timeout} ms`)))
      made.on('error', reject)
    })
    socket.setTimeout(0)
    socket.setNoDelay(true)
    socket.removeAllListeners('timeout')
    this.#socket = socket
    this.#parser = new ReplyParser()
    socket.on('error', () => {})
    socket.on('data', (chunk) => this.#receive(socket, chunk))
    socket.once('close', () => this.#closed(socket))

    if (options.password) {
      const credentials = [...(options.username ? [options.username] : []), options.password]
      await this.#send(['AUTH', ...credentials], timeout)
    }
    if (options.db) await this.#send(['SELECT', String(options.db)], timeout)
  }

  #send(words: string[], within: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const socket = this.#socket
      if (!socket) return reject(new Error('The connection to Redis was closed'))
      const timer = setTimeout(() => {
        socket.destroy()
        this.#closed(socket, new Error(`Redis did not answer within ${within} ms`))
      }, within)
      this.#pending.push({ resolve, reject, timer })
      let text = `*${words.length}\r\n`
      for (const word of words) text += `$${Buffer.byteLength(word)}\r\n${word}\r\n`
      socket.write(text)
    })
  }

  #receive(socket: net.Socket, chunk: Buffer): void {
    if (socket !== this.#socket) return
    for (const reply of this.#parser.feed(chunk)) {
      const pending = this.#pending.shift()
      if (!pending) continue
      clearTimeout(pending.timer)
      if (reply instanceof ReplyError) {
        pending.reject(reply)
        /** A replica, a server that is loading, or a wrong password: the next read asks for a new connection. */
        socket.destroy()
      } else {
        pending.resolve(reply)
      }
    }
  }

  #closed(socket: net.Socket, reason = new Error('The connection to Redis was closed')): void {
    if (socket !== this.#socket) return
    this.#socket = undefined
    for (const { reject, timer } of this.#pending.splice(0)) {
      clearTimeout(timer)
      reject(reason)
    }
  }
}
