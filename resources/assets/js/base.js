/*
 * What the other files share: announcements, reading the page's own data, requests that act. Files talk to each other by
 * events on `document` named `queuedeck:*`, so that each can be read alone.
 */
;(() => {
  const qd = (window.queuedeck = {})

  qd.emit = (name, detail) => document.dispatchEvent(new CustomEvent(`queuedeck:${name}`, { detail }))
  qd.on = (name, listener) => document.addEventListener(`queuedeck:${name}`, (event) => listener(event.detail))

  /* Writes text into an element without touching the document when nothing changed. */
  qd.write = (element, text) => {
    if (element && element.textContent !== text) element.textContent = text
  }

  /* Emptied first: a region that gets the same text twice is not read twice. */
  qd.say = (text, urgent = false) => {
    const region = document.getElementById(urgent ? 'say-now' : 'say')
    if (!region) return
    region.textContent = ''
    setTimeout(() => (region.textContent = text), 60)
  }

  qd.token = () => document.querySelector('meta[name="csrf-token"]')?.content

  /* The part of the page that shows data, with its own address to refresh from. */
  qd.region = () => document.querySelector('#jobs, #dashboard, #queues, #job, #schedules, #schedule, #workers-page, [data-again]')

  /* What a request of htmx came to; 0 for an answer that broke off: nothing of it is on the page. */
  qd.statusOf = ({ response, status }) => (response?.status === 200 && status !== 'swapped' ? 0 : (response?.status ?? 0))

  /* Nothing of a request arrived, or the server had no time for it: what it asked for is asked for again. */
  qd.isFailure = (status) => [0, 408, 425, 429].includes(status) || status >= 500

  /* A form leads elsewhere, and may delete what this page shows: nothing is asked for meanwhile. For how long, ms; it may lead nowhere. */
  let leavesUntil = 0
  qd.leavesFor = () => Math.max(0, leavesUntil - performance.now())
  window.addEventListener('submit', (event) => {
    if (!event.defaultPrevented && event.target.method !== 'dialog') leavesUntil = performance.now() + 5_000
  })

  /* How long after the first failure, and after further ones in a row, ms. */
  qd.retryAfter = (failures) => Math.min(30_000, 2_000 * 2 ** failures)

  qd.storage = {
    get(key) {
      try {
        return localStorage.getItem(`queuedeck.${key}`)
      } catch {
        return null
      }
    },
    set(key, value) {
      try {
        localStorage.setItem(`queuedeck.${key}`, value)
      } catch {
        /* Storage is forbidden: the choice lasts as long as the page. */
      }
    },
  }

  /* Hosts lead whoever has no session any more to where they log in: that is no part of our pages, and the whole page has to go there. */
  document.addEventListener('htmx:before:response', (event) => {
    const { raw } = event.detail.ctx.response
    if (!raw.redirected || raw.headers.has('x-queuedeck')) return
    event.preventDefault()
    location.reload()
  })

  qd.OLD = 'The session of this page has ended: load it again, then try once more'

  /* Hosts send whoever has no session, or no token of it, to another page: what answers there says nothing of the action. */
  const isOld = (response, body) => response.redirected || body.errors?.[0]?.code === 'E_BAD_CSRF_TOKEN'

  /*
   * Sends an action and answers `{ outcome, reason, job }`. A failure becomes a refusal with words, or `unanswered` where it may have been
   * done all the same. The audit tells people on pages from programs, though both want JSON.
   */
  qd.act = async (url, fields = {}) => {
    const headers = { 'accept': 'application/json', 'content-type': 'application/x-www-form-urlencoded', 'x-queuedeck-page': 'true' }
    if (qd.token()) headers['x-csrf-token'] = qd.token()
    try {
      const response = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(fields) })
      if (response.status === 401) {
        location.reload()
        return { outcome: 'refused', reason: 'The session has ended' }
      }
      if (response.status === 204) return { outcome: 'done' }
      const body = await response.json().catch(() => ({}))
      if (body.outcome) return body
      if (isOld(response, body)) return { outcome: 'refused', reason: qd.OLD }
      const reason = body.errors?.[0]?.message ?? `The server answered ${response.status}`
      return { outcome: response.status > 501 ? 'unanswered' : 'refused', reason }
    } catch {
      return { outcome: 'unanswered', reason: 'The server cannot be reached' }
    }
  }
})()
