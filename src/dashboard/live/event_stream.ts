import { PassThrough } from 'node:stream'
import type { HttpContext } from '@adonisjs/core/http'

const TYPE = 'text/event-stream; charset=utf-8'

/** A client that has taken nothing for this long is dropped, ms. */
const LONGEST_BLOCK = 30_000

/** Bytes that may wait for a client before it counts as slow. */
const BUFFER = 64 * 1024

/**
 * Answers a question for the stream's headers only; a stream would never end it. False for every other method.
 */
export function answeredHead({ request, response }: HttpContext): boolean {
  if (request.method() !== 'HEAD') return false
  response.header('content-type', TYPE).send('')
  return true
}

/**
 * One Server-Sent Events answer. Nothing is ever queued for a slow client: whoever writes looks at `isFree` first and keeps the
 * newest values until then.
 */
export class EventStream {
  /** Aborts when the client is gone or the stream was closed. */
  readonly ended: AbortSignal

  #body = new PassThrough({ highWaterMark: BUFFER })
  #ending = new AbortController()
  #blocked: NodeJS.Timeout | undefined
  #onFree: () => void

  /**
   * Answers the request with a stream. `onFree` is called whenever a slow client takes data again.
   */
  constructor({ request, response }: HttpContext, onFree: () => void = () => {}) {
    this.ended = this.#ending.signal
    this.#onFree = onFree
    request.request.socket.setNoDelay(true)
    request.request.socket.setTimeout(0)
    response
      .header('content-type', TYPE)
      .header('cache-control', 'no-store, no-transform')
      .header('x-accel-buffering', 'no')
    response.response.once('close', () => this.close())
    this.#body.on('drain', () => this.#drained())
    this.#body.on('error', () => this.close())
    this.#body.write('retry: 2000\n\n')
    response.stream(this.#body)
  }

  get isFree(): boolean {
    return !this.ended.aborted && this.#blocked === undefined
  }

  /**
   * @param id  Revision, as `id:` of the event.
   */
  send(event: string, data: unknown, id?: number): void {
    if (this.ended.aborted) return
    const identity = id === undefined ? '' : `id: ${id}\n`
    /** JSON has no line break outside of strings and none inside, so no text of a job can begin a field of its own. */
    const taken = this.#body.write(`event: ${event}\n${identity}data: ${JSON.stringify(data)}\n\n`)
    if (!taken) this.#blocked ??= setTimeout(() => this.close(true), LONGEST_BLOCK)
  }

  close(destroy = false): void {
    if (this.ended.aborted) return
    clearTimeout(this.#blocked)
    this.#ending.abort()
    if (destroy) this.#body.destroy()
    else this.#body.end()
  }

  #drained(): void {
    clearTimeout(this.#blocked)
    this.#blocked = undefined
    this.#onFree()
  }
}
