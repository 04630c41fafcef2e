import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Edge } from 'edge.js'
import { PREFIX } from './samples.ts'

const RESOURCES = new URL('../../../resources/', import.meta.url)
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

export type PageAnswer = {
  template: string
  data: Record<string, unknown>
  status?: number
  headers?: Record<string, string | number>
}

export type Answer = { json: unknown } | PageAnswer

/**
 * Serves the real templates, styles and scripts under the strict policy of the application, with views that the test gives and a
 * stream that the test writes, holds back or breaks.
 */
export class Stage {
  readonly edge = new Edge({ cache: true })
  /** Answers a request for a page; null: 404. */
  answer: (request: IncomingMessage, url: URL) => Answer | null | Promise<Answer | null> = () =>
    null
  /** Answers actions: what was asked is kept in `actions`. */
  readonly actions: { path: string; headers: IncomingMessage['headers']; body: string }[] = []
  readonly requests: { url: string; headers: IncomingMessage['headers'] }[] = []
  /** `broken`: streams answer 503 with a page of HTML. */
  streamState: 'open' | 'broken' = 'open'
  /** `tokenless`: hosts lead those who act back; `ended`: everybody to where they log in. */
  session: 'open' | 'tokenless' | 'ended' = 'open'
  revision = 1
  #streams = new Set<ServerResponse>()
  #sockets = new Set<Socket>()
  #server = createServer((request, response) => void this.#serve(request, response))

  static async open(): Promise<Stage> {
    const stage = new Stage()
    stage.edge.mount('queuedeck', new URL('views', RESOURCES))
    stage.#server.on('connection', (socket) => {
      stage.#sockets.add(socket)
      socket.once('close', () => stage.#sockets.delete(socket))
    })
    await new Promise<void>((resolve) => stage.#server.listen(0, '127.0.0.1', resolve))
    return stage
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${PREFIX}`
  }

  /** Streams that browsers hold open now. */
  get streams(): number {
    return this.#streams.size
  }

  send(event: string, data: unknown): void {
    for (const stream of this.#streams)
      stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  /** Tells pages that something changed: their next refresh gets what `answer` says by then. */
  change(): void {
    this.send('changed', { revision: ++this.revision, ids: [], more: true })
  }

  /** Ends all streams as a restarting server does; new ones get what `streamState` says. */
  cut(): void {
    for (const stream of this.#streams) stream.destroy()
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url!, 'http://stage')
      this.requests.push({ url: request.url!, headers: request.headers })
      response.setHeader('content-security-policy', POLICY)
      response.setHeader('cache-control', 'no-store')
      if (url.pathname === '/login') return void response.end('Log in')
      if (this.session === 'ended')
        return void response.writeHead(302, { location: '/login' }).end()
      if (url.pathname.startsWith(`${PREFIX}/assets/`)) return await this.#asset(url, response)
      if (url.pathname.endsWith('/stream')) return this.#stream(response)
      if (request.method === 'POST') return await this.#act(request, response)
      const answer = await this.answer(request, url)
      if (!answer) return void response.writeHead(404).end()
      if ('json' in answer) {
        response.writeHead(200, { 'content-type': 'application/json' })
        return void response.end(JSON.stringify(answer.json))
      }
      const html = await this.edge.render(answer.template, answer.data)
      response
        .writeHead(answer.status ?? 200, {
          'content-type': 'text/html; charset=utf-8',
          'x-queuedeck-revision': this.revision,
          ...answer.headers,
        })
        .end(html)
    } catch (error) {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error))
    }
  }

  #stream(response: ServerResponse): void {
    if (this.streamState === 'broken') {
      response.writeHead(503, { 'content-type': 'text/html' })
      return void response.end('<h1 id="gateway">503 from the gateway</h1>')
    }
    this.#streams.add(response)
    response.once('close', () => this.#streams.delete(response))
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const hello = { revision: this.revision, pollInterval: 30_000 }
    response.write(`retry: 2000\nevent: hello\ndata: ${JSON.stringify(hello)}\n\n`)
  }

  async #act(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const part of request) body += part
    this.actions.push({ path: request.url!, headers: request.headers, body })
    if (this.session === 'open' && request.headers.accept?.includes('json')) {
      response.writeHead(200, { 'content-type': 'application/json' })
      return void response.end(JSON.stringify({ outcome: 'done' }))
    }
    response.writeHead(303, { location: `${PREFIX}/jobs` }).end()
  }

  async #asset(url: URL, response: ServerResponse): Promise<void> {
    const name = url.pathname.slice(`${PREFIX}/assets/`.length)
    response.setHeader('content-type', name.endsWith('.css') ? 'text/css' : 'text/javascript')
    // As the application does: its assets are named by what they hold.
    response.setHeader('cache-control', 'max-age=3600')
    const library = {
      'htmx.js': 'htmx.org/dist/htmx.min.js',
      'alpine.js': '@alpinejs/csp/dist/cdn.min.js',
    }[name]
    if (library) {
      return void response.end(await readFile(new URL(`../node_modules/${library}`, RESOURCES)))
    }
    const assets = new URL('assets/', RESOURCES)
    const bundles = JSON.parse(await readFile(new URL('bundles.json', assets), 'utf8'))
    const files: string[] = bundles[name]
    const texts = await Promise.all(files.map((file) => readFile(new URL(file, assets), 'utf8')))
    response.end(texts.join('\n'))
  }
}
