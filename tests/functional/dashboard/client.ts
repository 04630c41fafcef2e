import { request as send } from 'node:http'

export type Answer = {
  status: number
  headers: Headers
  text: string
  /** The body as JSON; throws when it is none. */
  readonly json: any
}

type Asked = {
  accept?: string
  headers?: Record<string, string>
  body?: unknown
  form?: Record<string, string>
}

export const HTML = 'text/html,application/xhtml+xml'

/**
 * A browser without a screen: keeps cookies and the token that pages carry.
 */
export class Client {
  #cookies = new Map<string, string>()
  #token: string | undefined
  #streams: Stream[] = []

  constructor(
    readonly origin: string,
    readonly prefix: string
  ) {}

  page(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.ask('GET', path, { accept: HTML, headers })
  }

  /** As htmx asks for a fragment. */
  partial(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    const asked = { 'hx-request': 'true', 'hx-request-type': 'partial', ...headers }
    return this.ask('GET', path, { accept: HTML, headers: asked })
  }

  json(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.ask('GET', path, { accept: 'application/json', headers })
  }

  /** As a program acts: JSON, with the token of a page. */
  async post(path: string, body: unknown = {}, headers: Record<string, string> = {}) {
    const token = await this.token()
    return this.ask('POST', path, {
      accept: 'application/json',
      body,
      headers: { ...(token ? { 'x-csrf-token': token } : {}), ...headers },
    })
  }

  /** As a form without scripts acts. */
  async submit(
    path: string,
    fields: Record<string, string> = {},
    headers: Record<string, string> = {}
  ) {
    const token = await this.token()
    return this.ask('POST', path, {
      accept: HTML,
      form: { ...(token ? { _csrf: token } : {}), ...fields },
      headers,
    })
  }

  /** What `<meta name="csrf-token">` says; undefined without Shield. */
  async token(): Promise<string | undefined> {
    if (this.#token === undefined) {
      const { text } = await this.page('')
      this.#token = /<meta name="csrf-token" content="([^"]*)"/.exec(text)?.[1]
    }
    return this.#token
  }

  async ask(
    method: string,
    path: string,
    { accept, headers, body, form }: Asked = {}
  ): Promise<Answer> {
    const content = form
      ? new URLSearchParams(form).toString()
      : body === undefined
        ? undefined
        : JSON.stringify(body)
    const type = form ? 'application/x-www-form-urlencoded' : 'application/json'
    const response = await fetch(this.address(path), {
      method,
      redirect: 'manual',
      headers: {
        ...(accept ? { accept } : {}),
        ...(content === undefined ? {} : { 'content-type': type }),
        cookie: this.cookies(),
        ...headers,
      },
      body: content,
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [pair] = cookie.split(';')
      const at = pair.indexOf('=')
      this.#cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      get json() {
        return JSON.parse(text)
      },
    }
  }

  /**
   * Opens a stream and collects its events.
   */
  async stream(path: string, headers: Record<string, string> = {}): Promise<Stream> {
    return new Promise((resolve, reject) => {
      const request = send(
        this.address(path),
        { headers: { accept: 'text/event-stream', cookie: this.cookies(), ...headers } },
        (response) => {
          const stream = new Stream(response)
          this.#streams.push(stream)
          resolve(stream)
        }
      )
      request.once('error', reject)
      request.end()
    })
  }

  closeStreams(): void {
    for (const stream of this.#streams.splice(0)) stream.close()
  }

  cookies(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  address(path: string): string {
    return path.startsWith('http') || path.startsWith(this.prefix)
      ? new URL(path, this.origin).href
      : `${this.origin}${this.prefix}${path}`
  }
}

export type StreamEvent = { event: string; id: string | null; data: any }

/**
 * A stream as a browser reads it.
 */
export class Stream {
  readonly events: StreamEvent[] = []
  text = ''
  ended = false
  #response

  constructor(response: import('node:http').IncomingMessage) {
    this.#response = response
    let rest = ''
    response.setEncoding('utf8')
    response.on('data', (piece: string) => {
      this.text += piece
      const blocks = (rest + piece).split('\n\n')
      rest = blocks.pop()!
      for (const block of blocks) this.#take(block)
    })
    response.once('close', () => (this.ended = true))
    response.on('error', () => (this.ended = true))
  }

  get status(): number {
    return this.#response.statusCode!
  }

  get headers() {
    return this.#response.headers
  }

  named(name: string): StreamEvent[] {
    return this.events.filter(({ event }) => event === name)
  }

  /** Stops and starts reading, as a slow client does. */
  pause(): void {
    this.#response.pause()
  }

  close(): void {
    this.#response.destroy()
  }

  #take(block: string): void {
    const fields = new Map(
      block.split('\n').map((line) => {
        const at = line.indexOf(': ')
        return [line.slice(0, at), line.slice(at + 2)]
      })
    )
    if (!fields.has('data')) return
    this.events.push({
      event: fields.get('event') ?? 'message',
      id: fields.get('id') ?? null,
      data: JSON.parse(fields.get('data')!),
    })
  }
}
