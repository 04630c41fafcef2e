/*
 * Refreshes of the page's region: its own address again, morphed in. A list asks in two rhythms: rows that changed at once, and
 * only those; all that counts over many jobs (facets, chart, pages) once a second. While the person is busy in the table the
 * refresh sends the rows on the screen as pins: the server answers exactly those rows, and what is new waits behind the pill.
 *
 * Why a pending job waits changes with other jobs, with limits and with workers, and no revision tells of it: while one is on the
 * screen and the stream delivers, its row is asked for again every two seconds, and so is the page of a job until it has ended, for its
 * steps, its log and its flow. Of a running job's row whether its worker still reports is asked every ten, and so is the dashboard, on
 * which workers report. As long as nothing has changed the answer is 304.
 *
 * Whatever a refresh costs, several times that passes until the next of its kind: many open pages slow each other down, and
 * never the server.
 */
;(() => {
  const qd = window.queuedeck
  /* Whatever took longer has ended without a word. */
  const LONGEST = 20_000
  /* A burst of changes gathers for a moment before the whole list follows. */
  const SETTLE = 150
  /* How often a page that is behind what the stream told asks again at once. */
  const CATCH_UPS = 3
  /* Until then a list is made of the rows that the browser has and those that changed. */
  const COMPLETE_EVERY = 10_000
  const REASONS_EVERY = 2_000
  const RUNNING_EVERY = 10_000
  const WAITING = '#rows > tr[data-s="pending"]'
  const RUNNING = '#rows > tr:is([data-s="running"], [data-s="suspect"])'
  const OPEN_JOB = '#job:not([data-s="completed"], [data-s="failed"], [data-s="cancelled"])'
  /* As many digits at the end of an id as the server compares. */
  const ID_END = 12

  const isList = Boolean(document.getElementById('jobs'))
  const kinds = {
    rows: { gap: 50, costs: 1, due: false, notBefore: 0 },
    region: isList ? { gap: 1_000, costs: 5, due: false, notBefore: 0 } : { gap: 100, costs: 3, due: false, notBefore: 0 },
  }
  /* Ids that changed since rows were last asked for; null: any may have. */
  let changed = new Set()
  /* The same as the request under way took them, and the newest revision that was told when it left. */
  let asked = new Set()
  let toldThen = 0
  let timer = null
  let underway = null
  let startedAt = 0
  /* Whether the request that is under way has left. */
  let admitted = false
  let pinned = true
  let behind = 0
  /* Refreshes in a row of which nothing arrived. */
  let failures = 0
  let completeAt = performance.now()
  /* When rows of pending jobs, and of running ones, were last asked for. */
  let reasonsAt = performance.now()
  let runningAt = performance.now()
  /* The request under way names rows that need not be sent. */
  let partly = false
  /* Tags of what each region shows as the server last sent it. */
  const tags = new Map()
  /* The same of the rows that came last by themselves. */
  let rowsTag = null

  const busy = () => {
    const rows = document.getElementById('rows')
    if (!rows) return false
    return (
      rows.querySelector('input:checked') !== null ||
      rows.contains(document.activeElement) ||
      rows.matches(':hover') ||
      document.activeElement?.id === 'q' ||
      document.querySelector('dialog[open], [popover]:popover-open, details.filters[open]') !== null ||
      window.scrollY > 80 ||
      document.querySelector('#jobs [rel="prev"]') !== null
    )
  }

  const plan = () => {
    clearTimeout(timer)
    if (document.hidden || (underway && performance.now() - startedAt < LONGEST)) return
    const due = Object.keys(kinds).filter((kind) => kinds[kind].due)
    due.sort((one, other) => kinds[one].notBefore - kinds[other].notBefore)
    if (due.length) timer = setTimeout(run, Math.max(qd.leavesFor(), kinds[due[0]].notBefore - performance.now()), due[0])
  }

  const run = (kind) => {
    if (qd.leavesFor() > 0) return plan()
    kinds[kind].due = false
    const region = qd.region()
    if (!region || (kind === 'rows' && !document.getElementById('rows'))) return plan()
    underway = kind
    const at = (startedAt = performance.now())
    admitted = false
    htmx.trigger(region, 'queuedeck:refresh')
    setTimeout(() => underway && !admitted && at === startedAt && end(kind, 200), 50)
  }

  /* Refused: the person is just asking for another list. It comes with all that is new, so there is no hurry. */
  const end = (kind, wait) => {
    underway = null
    changed = null
    kinds[kind].due = true
    kinds[kind].notBefore = performance.now() + wait
    plan()
  }

  const now = (kind) => {
    kinds[kind].due = true
    kinds[kind].notBefore = 0
    plan()
  }

  /* At once and without pins: the person asked for it. */
  qd.refreshNow = () => {
    pinned = false
    now('region')
  }

  /* At once, but the rows on the screen stay where they are. */
  qd.refreshSoon = () => now('region')

  qd.on('changed', ({ ids = [], more = false, polled = false }) => {
    if (more) changed = null
    for (const id of ids) changed?.add(id)
    const { rows, region } = kinds
    if (isList && !polled) rows.due = true
    if (isList && !polled && !region.due) region.notBefore = Math.max(region.notBefore, performance.now() + SETTLE)
    region.due = true
    plan()
  })

  const forgetTags = () => {
    tags.clear()
    rowsTag = null
  }

  /* What the stream writes into the page by itself, the server does not know as sent; nor do tags speak of a list that a person asked for. */
  for (const name of ['progress', 'stats']) qd.on(name, forgetTags)
  document.addEventListener('htmx:after:swap', ({ detail: { ctx } }) => {
    if (ctx.target?.id === 'jobs' && ctx.sourceEvent?.type !== 'queuedeck:refresh') forgetTags()
  })

  qd.on('state', (state) => state === 'live' && failures > 0 && now('region'))

  /* What was told while nobody looked. */
  document.addEventListener('visibilitychange', plan)

  const reasonsAreOld = () => performance.now() - reasonsAt > REASONS_EVERY - 100
  const runningIsOld = () => performance.now() - runningAt > RUNNING_EVERY - 100

  setInterval(() => {
    if (document.hidden || qd.live?.state !== 'live') return
    const reportsAreOld = performance.now() - startedAt > RUNNING_EVERY - 100
    if (document.querySelector(reportsAreOld ? `#dashboard, ${OPEN_JOB}` : OPEN_JOB)) kinds.region.due = true
    if (document.querySelector(WAITING) || (runningIsOld() && document.querySelector(RUNNING))) kinds.rows.due = true
    plan()
  }, REASONS_EVERY)

  const putBack = (ids) => {
    if (ids === null) changed = null
    for (const id of ids ?? []) changed?.add(id)
  }

  const rowIds = (wanted = () => true) =>
    [...document.querySelectorAll('#rows > tr')].filter(wanted).map((row) => row.dataset.id)

  document.addEventListener('htmx:config:request', (event) => {
    const { ctx } = event.detail
    if (ctx.sourceEvent?.type !== 'queuedeck:refresh') return
    const { id } = ctx.sourceElement
    if (id === 'sheet-job') return
    const { headers, body } = ctx.request
    /* Were its hx-get another for each list, htmx would set up anew all that is in the region, and forget what was just typed. */
    if (id === 'jobs') ctx.request.action = ctx.sourceElement.dataset.url
    const rows = id === 'jobs' && underway === 'rows' && document.getElementById('rows')
    headers['X-Queuedeck-Refresh'] = rows ? 'rows' : id
    if (id === 'jobs' && pinned && busy() && rowIds().length) body.set('pin', rowIds().join(','))
    const isFresh = qd.live?.state === 'live' && performance.now() - completeAt < COMPLETE_EVERY
    const asksReasons = id === 'jobs' && reasonsAreOld()
    const asksRunning = id === 'jobs' && runningIsOld()
    if (asksReasons) reasonsAt = performance.now()
    if (asksRunning) runningAt = performance.now()
    const goesAgain = (row) =>
      changed.has(row.dataset.id) ||
      (asksReasons && row.dataset.s === 'pending') ||
      (asksRunning && ['running', 'suspect'].includes(row.dataset.s))
    const same = id === 'jobs' && changed && (rows || isFresh) ? rowIds((row) => !goesAgain(row)) : []
    partly = same.length > 0
    if (partly) body.set('have', same.map((one) => one.slice(-ID_END)).join(''))
    if (rows) ctx.target = rows
    else pinned = true
    const known = rows ? rowsTag : tags.get(id)
    if (known) headers['If-None-Match'] = known
    /* What changes from here on, this answer may not show. */
    asked = changed
    toldThen = qd.live?.revision ?? 0
    if (id === 'jobs') changed = new Set()
  })

  document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => {
    if (ctx.sourceEvent?.type === 'queuedeck:refresh' && ctx.sourceElement.id !== 'sheet-job') admitted = true
  })

  /* Rows that the browser has stay as they are; of those the server sends the name only. */
  htmx.registerExtension('queuedeck', {
    htmx_before_morph_node: (_, { newNode }) => newNode.dataset?.same === undefined,
  })

  document.addEventListener('htmx:finally:request', (event) => {
    const { ctx } = event.detail
    if (ctx.sourceEvent?.type !== 'queuedeck:refresh' || !underway) return
    const id = ctx.request.headers['X-Queuedeck-Refresh']
    if (id === 'sheet-job') return
    /* The person asked for another list meanwhile. */
    if (ctx.request.signal?.aborted && ctx.request.signal.reason !== 'timeout') return end(underway, 200)
    const kind = kinds[underway]
    const endedAt = performance.now()
    kind.notBefore = endedAt + Math.max(kind.gap, kind.costs * (endedAt - startedAt))
    const status = qd.statusOf(ctx)
    const { headers } = ctx.response ?? {}
    const revision = Number(headers?.get('x-queuedeck-revision'))
    const rowsRevision = Number(headers?.get('x-queuedeck-rows-revision') ?? revision)
    if (status === 200) {
      rowsTag = underway === 'rows' ? headers.get('etag') : null
      /* A tag speaks of a whole region, as it was sent. */
      if (partly || underway === 'rows') tags.clear()
      else if (headers.get('etag')) tags.set(id, headers.get('etag'))
      if (!partly && underway === 'region') completeAt = endedAt
    } else if (status !== 304) {
      changed = null
    }
    if (status === 200 || status === 304) {
      failures = 0
      /* An open sheet is read on its own, and rows that the browser has are as old as they were. */
      const isWhole = underway === 'region' && !partly && !document.querySelector('#sheet[open]')
      qd.live?.refreshed(isWhole ? revision : 0)
    } else if (qd.isFailure(status)) {
      qd.live?.failed()
      /* Nobody tells of the same change twice. */
      kinds.region.due = true
      kinds.region.notBefore = endedAt + qd.retryAfter(failures++)
    }
    /* They came from a process that had not heard of the change yet. */
    if ((status === 200 || status === 304) && rowsRevision < toldThen) putBack(asked)
    behind = underway === 'region' && status < 400 && revision < qd.live?.revision ? behind + 1 : 0
    if (behind > 0 && behind <= CATCH_UPS) kinds.region.due = true
    underway = null
    plan()
  })
})()
