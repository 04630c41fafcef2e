/*
 * <job-monitor>: one job's live state inside any page. Server-rendered; this file only keeps it true and keeps the submit
 * button named by `for` busy until the job is terminal. It polls while the stream is away, never posts, and ignores states
 * older than the one it shows. Events that bubble: job:progress, job:completed, job:failed, job:cancelled, job:terminal.
 */
const ENDED = ['completed', 'failed', 'cancelled']
/* Browsers open six connections to a host, and the page needs some: further monitors ask by themselves. */
const STREAMS = 3
let streams = 0

class JobMonitor extends HTMLElement {
  #stream
  #poll
  #retry
  #watch
  #tries = 0
  #heard = 0
  /* Whether anything was ever told to this page. */
  #told = false
  #tag = ''

  connectedCallback() {
    if (this.hasAttribute('terminal')) return
    this.#busy(true)
    this.#connect()
    this.#watch = setInterval(() => this.#stream && Math.abs(Date.now() - this.#heard) > 40000 && this.#fallBack(), 5000)
  }

  disconnectedCallback() {
    this.#close()
    for (const timer of [this.#poll, this.#retry, this.#watch]) clearInterval(timer)
    this.#poll = null
    /* Taken off the page before its job has ended, it holds no button any more. */
    if (!this.isConnected) this.#busy(false)
  }

  #connect() {
    if (streams >= STREAMS) return this.#fallBack()
    streams++
    this.#heard = Date.now() - 35000
    const stream = (this.#stream = new EventSource(this.getAttribute('stream')))
    const hear = (event) => {
      this.#heard = Date.now()
      this.#told = true
      this.#tries = 0
      clearInterval(this.#poll)
      this.#poll = null
      if (event.type === 'state') this.#apply(JSON.parse(event.data))
    }
    stream.addEventListener('state', hear)
    stream.addEventListener('ping', hear)
    stream.onerror = () => stream.readyState === 2 && this.#fallBack()
  }

  #close() {
    if (!this.#stream) return
    this.#stream.close()
    this.#stream = null
    streams--
  }

  #fallBack() {
    this.#close()
    this.#poll ??= setInterval(() => this.#ask(), 2000)
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#connect(), Math.min(60000, 2000 * 2 ** this.#tries++) * (0.7 + Math.random() * 0.6))
  }

  async #ask() {
    const headers = { 'accept': 'application/json', 'if-none-match': this.#tag || '""' }
    const answer = await fetch(this.getAttribute('src'), { headers }).catch(() => null)
    if (answer?.ok) {
      /* Where nobody is logged in any more, the answer may be the page to do that. */
      const state = await answer.json().catch(() => null)
      if (!state) return
      this.#told = true
      this.#tag = answer.headers.get('etag')
      this.#apply(state)
    } else if (answer?.status === 404 || (this.#told && [401, 403].includes(answer?.status))) {
      /* Who was refused from the beginning would be again, and the page load for ever. */
      location.reload()
    }
  }

  #apply(state) {
    if (state.version < this.getAttribute('version')) return
    this.setAttribute('version', state.version)
    this.setAttribute('status', state.status)
    this.#part('bar').value = state.percent
    this.#part('percent').textContent = `${state.percent} %`
    const stage = state.stage || state.status
    if (this.#part('stage').textContent !== stage) this.#part('stage').textContent = stage
    this.#part('items').textContent = state.items
    this.#tell('progress', state)
    if (state.terminal ?? ENDED.includes(state.status)) this.#end(state)
  }

  async #end(state) {
    this.disconnectedCallback()
    const answer = await fetch(this.getAttribute('html'), { headers: { accept: 'text/html' } }).catch(() => null)
    const text = answer?.ok ? await answer.text().catch(() => '') : ''
    const ended = new DOMParser().parseFromString(text, 'text/html').querySelector('job-monitor')
    if (ended) this.replaceChildren(...ended.childNodes)
    else this.#part('stage').textContent = state.status
    this.setAttribute('terminal', '')
    this.#busy(false)
    this.#tell(state.status, state)
    this.#tell('terminal', state)
  }

  #part(name) {
    return this.querySelector(`[data-part="${name}"]`) ?? {}
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(`job:${name}`, { bubbles: true, detail }))
  }

  #busy(on) {
    const button = document.getElementById(this.getAttribute('for'))
    /* Another job may hold the same button. */
    if (!button || (!on && holderOf(button))) return
    button.form?.setAttribute('aria-busy', on)
    if (on) button.setAttribute('aria-disabled', 'true')
    else button.removeAttribute('aria-disabled')
  }
}

const holderOf = ({ id }) => document.querySelector(`job-monitor:not([terminal])[for="${CSS.escape(id)}"]`)

/* `aria-disabled` keeps the focus, so the button itself must not act: neither by click nor by Enter in a field. */
for (const type of ['click', 'submit']) {
  document.addEventListener(
    type,
    (event) => {
      const button = type === 'click' ? event.target.closest?.('button, input') : event.submitter
      if (button?.id && holderOf(button)) {
        event.preventDefault()
        event.stopImmediatePropagation()
      }
    },
    true
  )
}

if (!customElements.get('job-monitor')) customElements.define('job-monitor', JobMonitor)
