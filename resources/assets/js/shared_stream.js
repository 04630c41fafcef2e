/*
 * One event stream for all tabs of this browser that show the same thing. Browsers allow six connections a host over
 * HTTP/1.1, and every stream holds one; so tabs with the same address share it over a BroadcastChannel, and there are never
 * more than four streams: the tab that would open a fifth polls instead and says so. The browser's locks see to that where it
 * has them (over HTTPS, and on this machine); elsewhere what the others answer in time does.
 *
 * The tab that holds the stream is the leader and passes everything on. Followers that hear nothing for 40 s, or a `bye`,
 * ask again, and the first to get no answer leads.
 */
;(() => {
  const MOST_STREAMS = 4
  const ANSWER_WITHIN = 250

  class SharedStream {
    #url
    #me = Math.random().toString(36).slice(2)
    #channel = typeof BroadcastChannel === 'function' ? new BroadcastChannel('queuedeck-stream') : null
    #listener
    /* `asking` while answers are awaited; then one of the three. */
    #role = 'idle'
    #answers = null
    #open
    #close
    /* Gives the place among the streams back. */
    #place = null

    /*
     * `open` and `close` hold and drop the real stream; `listener` gets what a leader elsewhere passes on.
     */
    constructor(url, { open, close, listener }) {
      this.#url = url
      this.#open = open
      this.#close = close
      this.#listener = listener
      this.#channel?.addEventListener('message', (event) => this.#hear(event.data))
    }

    get leads() {
      return this.#role === 'leader'
    }

    /*
     * Resolves to `leader`, `follower` or `crowded` (others hold as many streams as there may be).
     */
    async join() {
      if (this.#role === 'leader') return this.#role
      if (this.#channel) {
        this.#role = 'asking'
        this.#answers = new Map()
        this.#post({ kind: 'who' })
        /* Tabs restored together would all find nobody; a random wait lets one be first. */
        await new Promise((resolve) => setTimeout(resolve, ANSWER_WITHIN + Math.random() * 250))
        if (this.#role !== 'asking') return this.#role
        if ([...this.#answers.values()].includes(this.#url)) return (this.#role = 'follower')
        if (this.#answers.size >= MOST_STREAMS) return (this.#role = 'crowded')
      }
      const isPlaced = await this.#takePlace()
      /* Meanwhile somebody else came to lead, or this tab left. */
      if (this.#channel && this.#role !== 'asking') {
        if (this.#role !== 'leader') this.#leavePlace()
        return this.#role
      }
      if (!isPlaced) return (this.#role = 'crowded')
      this.#lead()
      return this.#role
    }

    async #takePlace() {
      if (!navigator.locks) return true
      for (let number = 0; number < MOST_STREAMS && !this.#place; number++) {
        await new Promise((resolve) => {
          const hold = (lock) => {
            resolve()
            return lock && !this.#place && new Promise((leave) => (this.#place = { leave }))
          }
          navigator.locks.request(`queuedeck-stream-${number}`, { ifAvailable: true }, hold).catch(resolve)
        })
      }
      return this.#place !== null
    }

    #leavePlace() {
      this.#place?.leave()
      this.#place = null
    }

    leave() {
      if (this.#role === 'leader') {
        this.#close()
        this.#post({ kind: 'bye', url: this.#url })
      }
      this.#leavePlace()
      this.#role = 'idle'
    }

    /* What is shown is another thing now; whoever held or followed a stream has left it. */
    move(url) {
      this.#url = url
    }

    /* Passes a message of the real stream, or a change of its state, to the followers. */
    pass(message) {
      if (this.#role === 'leader') this.#post({ kind: 'pass', url: this.#url, message })
    }

    #lead() {
      this.#role = 'leader'
      this.#post({ kind: 'lead', url: this.#url })
      this.#open()
    }

    #post(message) {
      this.#channel?.postMessage({ ...message, from: this.#me })
    }

    #hear({ kind, url, from, message }) {
      if (kind === 'who' && this.#role === 'leader') {
        this.#post({ kind: 'lead', url: this.#url })
        this.#listener({ event: 'asked' })
      }
      if (kind === 'lead') {
        this.#answers?.set(from, url)
        /* At once: the leader's state follows on the heels of its answer. */
        if (url === this.#url && this.#role === 'asking') this.#role = 'follower'
        /* Two found nobody at the same moment: the smaller name keeps the stream. */
        if (url === this.#url && this.#role === 'leader') {
          if (from < this.#me) {
            this.#close()
            this.#leavePlace()
            this.#role = 'follower'
          } else {
            this.#post({ kind: 'lead', url: this.#url })
          }
        }
      }
      if (url !== this.#url || this.#role !== 'follower') return
      if (kind === 'pass') this.#listener(message)
      if (kind === 'bye') this.#listener({ event: 'orphaned' })
    }
  }

  window.queuedeck.SharedStream = SharedStream
})()
