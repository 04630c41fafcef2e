/*
 * The live state of the page: `live` while a stream delivers, `polling` while the page asks by itself every 30 s, `offline`
 * while not even that works. Messages are absolute, so after a gap one refresh makes up for all that was missed, and it
 * happens only when the page does not stand at the stream's revision.
 */
;(() => {
  const qd = window.queuedeck
  const HELLO_WITHIN = 5_000
  const SILENCE = 40_000
  const POLL = 30_000
  const HIDDEN_GRACE = 10_000
  const FIRST_RETRY = 2_000
  const LONGEST_RETRY = 60_000
  const EVENTS = ['progress', 'changed', 'stats', 'notice']

  class Live {
    state = 'connecting'
    /* When numbers on this page were last known to be true, and when the present state began. */
    freshAt = Date.now()
    since = Date.now()
    nextTryAt = 0
    openedAt = Date.now()

    #shared
    #source
    #revision = Number(document.body.dataset.revision)
    #retries = 0
    #heardAt = 0
    #timers = {}

    constructor(url) {
      this.url = url
      this.#shared = new qd.SharedStream(url, {
        open: () => this.#open(),
        close: () => this.#shut(),
        listener: (message) => this.#hear(message),
      })
    }

    async start() {
      if (document.hidden) return
      const role = await this.#shared.join()
      if (role === 'follower') {
        this.#heardAt = Date.now()
        /* The leader may have said hello while this tab was still joining. */
        if (this.state !== 'live') this.#after('hello', HELLO_WITHIN + 15_000, () => this.#fallBack())
      }
      if (role === 'crowded') this.#fallBack()
    }

    stop() {
      this.#shared.leave()
      this.#shut()
      for (const name of ['poll', 'retry', 'hello']) this.#clear(name)
    }

    /* The newest that the stream told, or the page was made from. */
    get revision() {
      return this.#revision
    }

    /* The page's numbers were just read from the server; with the revision if all of the page was. */
    refreshed(revision) {
      this.freshAt = Date.now()
      if (revision) this.#revision = Math.max(this.#revision, revision)
      if (this.state === 'offline') this.#become('polling')
    }

    /* A refresh failed: not even polling works. */
    failed() {
      if (this.state !== 'live') this.#become('offline')
    }

    /* The page shows another list, or other jobs around one, as of a revision: the stream has to speak of those. */
    follow(url, revision) {
      if (url === this.url) return
      this.stop()
      this.url = url
      this.#shared.move(url)
      this.#revision = revision
      this.start()
    }

    retryNow() {
      this.stop()
      this.#retries = 0
      this.start()
    }

    #open() {
      this.#shut()
      const source = (this.#source = new EventSource(this.url))
      this.#after('hello', HELLO_WITHIN, () => this.#fallBack())
      source.addEventListener('hello', (event) => this.#receive('hello', event))
      source.addEventListener('ping', (event) => this.#receive('ping', event))
      for (const name of EVENTS) source.addEventListener(name, (event) => this.#receive(name, event))
      source.addEventListener('error', () => {
        if (source !== this.#source) return
        /* An answer that is no stream (an error page, a lost session) closes it for good; a cut one reconnects by itself. */
        if (source.readyState === EventSource.CLOSED) this.#fallBack()
        else this.#after('hello', HELLO_WITHIN, () => this.#fallBack())
      })
    }

    #shut() {
      this.#source?.close()
      this.#source = null
      this.#clear('hello')
    }

    #receive(name, event) {
      let data
      try {
        data = event.data ? JSON.parse(event.data) : null
      } catch {
        return
      }
      this.#shared.pass({ event: name, data })
      this.#apply(name, data)
    }

    #hear(message) {
      if (message.event === 'asked') {
        if (this.state === 'live') this.#shared.pass({ event: 'hello', data: { revision: this.#revision } })
      } else if (message.event === 'orphaned') {
        if (!document.hidden) return this.start()
        /* As after a long absence: it starts anew when somebody looks. */
        this.#clear('hidden')
        this.stop()
      } else {
        this.#apply(message.event, message.data)
      }
    }

    #apply(name, data) {
      this.#heardAt = Date.now()
      this.freshAt = Date.now()
      if (name === 'hello') {
        this.#clear('hello')
        this.#clear('poll')
        this.#clear('retry')
        this.#retries = 0
        this.#become('live')
        /* Also a lower one: an emptied Redis counts from the beginning again. */
        if (data && data.revision !== this.#revision) this.#moved(data.revision, { ids: [], more: true })
        return
      }
      /* A follower that joined late has heard no hello; anything the leader passes on proves the stream. */
      if (this.state !== 'live') {
        this.#clear('hello')
        this.#clear('poll')
        this.#become('live')
      }
      if (name === 'changed') this.#moved(data.revision, data)
      else if (EVENTS.includes(name)) qd.emit(name, data)
    }

    /*
     * Told for each change, also for one whose revision a refresh has brought already: parts of the page may be older (rows that
     * the server was not asked for, a sheet that was read before), and nobody tells of it twice.
     */
    #moved(revision, detail) {
      this.#revision = revision
      qd.emit('changed', detail)
    }

    #fallBack() {
      this.#shared.leave()
      this.#shut()
      if (this.state !== 'offline') this.#become('polling')
      const wait = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** this.#retries++) * (0.7 + Math.random() * 0.6)
      this.nextTryAt = Date.now() + wait
      this.#after('retry', wait, () => this.start())
      if (!this.#timers.poll) {
        this.#timers.poll = setInterval(() => qd.emit('changed', { ids: [], more: true, polled: true }), POLL)
      }
    }

    #become(state) {
      if (this.state === state) return
      this.state = state
      this.since = Date.now()
      document.body.dataset.live = state
      qd.emit('state', state)
    }

    #after(name, wait, run) {
      this.#clear(name)
      this.#timers[name] = setTimeout(() => {
        delete this.#timers[name]
        run()
      }, wait)
    }

    #clear(name) {
      clearTimeout(this.#timers[name])
      clearInterval(this.#timers[name])
      delete this.#timers[name]
    }

    /* Half-open connections deliver nothing and report nothing: only silence shows them. */
    watch() {
      setInterval(() => {
        /* Either way: a clock that was put back must not make silence last. */
        if (this.state === 'live' && Math.abs(Date.now() - this.#heardAt) > SILENCE) {
          this.#become('polling')
          this.retryNow()
        }
      }, 5_000)
      document.addEventListener('visibilitychange', () => {
        if (document.hidden) return this.#after('hidden', HIDDEN_GRACE, () => this.stop())
        const paused = !this.#timers.hidden
        this.#clear('hidden')
        if (!paused) return
        this.start()
        qd.emit('changed', { ids: [], more: true })
      })
      window.addEventListener('pagehide', () => this.stop())
      window.addEventListener('pageshow', (event) => event.persisted && this.start())
      window.addEventListener('online', () => this.state !== 'live' && this.retryNow())
    }
  }

  const url = document.body.dataset.stream
  qd.live = url ? new Live(url) : null
  document.addEventListener('alpine:initialized', () => {
    qd.live?.watch()
    qd.live?.start()
  })
  document.addEventListener('htmx:after:swap', () => {
    const { stream, revision } = qd.region()?.dataset ?? {}
    if (stream) qd.live?.follow(stream, Number(revision))
  })
})()
