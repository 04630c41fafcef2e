import { request, type ClientRequest } from 'node:http'

const GAP = 50
const REGION_EVERY = 1_000

/**
 * An open list without a browser: holds its stream and asks for rows and region in the rhythm of the page's own script.
 */
export class ListViewer {
  /** Requests that were answered. */
  answered = 0

  #url: URL
  #stream: ClientRequest | undefined
  #ids: string[] = []
  #changed = new Set<string>()
  #due = false
  #regionAt = Date.now() + Math.random() * REGION_EVERY
  #asking = false
  #closed = false

  /**
   * @param url  of the list
   */
  constructor(url: string) {
    this.#url = new URL(url)
  }

  async open(): Promise<void> {
    await this.#ask('jobs')
    const stream = new URL(this.#url.href.replace('/jobs?', '/stream?page=jobs&'))
    await new Promise<void>((resolve, reject) => {
      this.#stream = request(
        stream,
        { agent: false, headers: { accept: 'text/event-stream' } },
        (answer) => {
          resolve()
          let rest = ''
          answer.setEncoding('utf8').on('data', (text: string) => {
            const blocks = (rest + text).split('\n\n')
            rest = blocks.pop()!
            for (const block of blocks) this.#hear(block)
          })
          answer.on('error', () => {})
        }
      )
      this.#stream.on('error', (error) => (this.#closed ? undefined : reject(error)))
      this.#stream.end()
    })
  }

  close(): void {
    this.#closed = true
    this.#stream?.destroy()
  }

  #hear(block: string): void {
    const data = /^event: changed\n(?:id: .*\n)?data: (.*)$/m.exec(block)?.[1]
    if (data === undefined) return
    for (const id of (JSON.parse(data) as { ids: string[] }).ids) this.#changed.add(id)
    this.#due = true
    void this.#run()
  }

  async #run(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    while (this.#due && !this.#closed) {
      this.#due = false
      const began = Date.now()
      await this.#ask('rows').catch(() => {})
      if (Date.now() >= this.#regionAt) {
        await this.#ask('jobs').catch(() => {})
        this.#regionAt = Date.now() + REGION_EVERY
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(GAP, Date.now() - began)))
    }
    this.#asking = false
  }

  async #ask(refresh: 'rows' | 'jobs'): Promise<void> {
    const url = new URL(this.#url)
    const have = this.#ids.filter((id) => !this.#changed.has(id))
    if (have.length > 0) url.searchParams.set('have', have.map((id) => id.slice(-12)).join(''))
    this.#changed.clear()
    const answer = await fetch(url, {
      headers: {
        'hx-request': 'true',
        'hx-request-type': 'partial',
        'x-queuedeck-refresh': refresh,
      },
    })
    const text = await answer.text()
    this.#ids = [...text.matchAll(/<tr role="row" id="job-([^"]*)"/g)].map(([, id]) => id)
    this.answered++
  }
}
