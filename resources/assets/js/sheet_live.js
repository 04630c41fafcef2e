/*
 * An open sheet shows one job, and is read on its own: again when the job may have changed, also while it was being read, and every two
 * seconds until it has ended. Of its steps, its log and why it waits no revision tells, and the stream of the list may not speak of it:
 * its neighbours are in any list. As long as nothing has changed the answer is 304.
 */
;(() => {
  const qd = window.queuedeck
  const EVERY = 2_000
  /* Times what the last reading took: many open sheets slow each other down, and never the server. */
  const COSTS = 3
  const ENDED = ['completed', 'failed', 'cancelled']

  /* Requests for the sheet that are under way, with when they left. */
  const reading = new Map()
  let timer = null
  let due = false
  /* Another job changed, maybe one that the sheet's flow shows. */
  let around = false
  let notBefore = 0
  let failures = 0
  /* What the sheet shows as the server last sent it. */
  let tag = null
  /* Its job is no more. */
  let gone = null

  const open = () => document.querySelector('#sheet[open] #sheet-job')
  const isOwn = ({ sourceElement }) => sourceElement?.id === 'sheet' || sourceElement?.id === 'sheet-job'

  const plan = () => {
    clearTimeout(timer)
    if (due && reading.size === 0 && !document.hidden) timer = setTimeout(read, Math.max(qd.leavesFor(), notBefore - performance.now()))
  }

  const read = () => {
    const job = open()
    if (!job || reading.size > 0 || job.dataset.id === gone) return
    if (qd.leavesFor() > 0) return plan()
    due = false
    htmx.trigger(job, 'queuedeck:refresh')
  }

  qd.on('changed', ({ ids = [], more = false }) => {
    const job = document.getElementById('sheet-job')
    if (more || !job || ids.includes(job.dataset.id)) due = true
    else around = true
    plan()
  })

  /* What the stream writes into the sheet by itself, the server does not know as sent. */
  qd.on('progress', () => (tag = null))

  document.addEventListener('visibilitychange', plan)

  setInterval(() => {
    const job = open()
    if (!job) return
    if (qd.live?.state === 'live' && (around || !ENDED.includes(job.dataset.s))) due = true
    around = false
    plan()
  }, EVERY)

  document.addEventListener('htmx:config:request', ({ detail: { ctx } }) => {
    if (ctx.sourceElement.id !== 'sheet-job' || ctx.sourceEvent?.type !== 'queuedeck:refresh') return
    const { headers } = ctx.request
    headers['X-Queuedeck-Refresh'] = 'sheet-job'
    if (tag) headers['If-None-Match'] = tag
  })

  document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => {
    if (!isOwn(ctx)) return
    /* What changes from here on, this answer may not show. */
    if (reading.size === 0) due = around = false
    reading.set(ctx, performance.now())
  })

  document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
    if (!isOwn(ctx) || !reading.has(ctx)) return
    const now = performance.now()
    notBefore = now + COSTS * (now - reading.get(ctx))
    reading.delete(ctx)
    const status = qd.statusOf(ctx)
    const isRefresh = ctx.sourceElement.id === 'sheet-job'
    if (status === 200) tag = isRefresh ? ctx.response.headers.get('etag') : null
    if (status === 200 || status === 304) failures = 0
    if (isRefresh && status === 404) gone = open()?.dataset.id
    else if (status === 200) gone = null
    if (isRefresh && qd.isFailure(status)) {
      due = true
      notBefore = now + qd.retryAfter(failures++)
    }
    plan()
  })
})()
