/*
 * Refreshes of the page's region: its own address again, morphed in, at most four times a second, and never more than a third
 * of the time: a status has to be on the page within half a second of its commit. While the person is busy in the table the
 * refresh sends the rows on the screen as pins: the server answers exactly those rows, and what is new waits behind the pill.
 */
;(() => {
  const qd = window.queuedeck
  const GAP = 250
  /* Whatever took longer has ended without a word. */
  const LONGEST = 20_000

  let timer = null
  let startedAt = 0
  let endedAt = 0
  let cost = 0
  let pinned = true
  /* A refresh asked for while one is under way would be dropped: it follows that one instead, or the last change is never seen. */
  let underway = false
  let again = false

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

  const run = () => {
    timer = null
    startedAt = performance.now()
    const region = qd.region()
    if (region) htmx.trigger(region, 'queuedeck:refresh')
    const sheet = document.querySelector('#sheet[open] #sheet-job')
    if (sheet) htmx.trigger(sheet, 'queuedeck:refresh')
  }

  const ask = () => {
    if (timer || document.hidden) return
    if (underway && performance.now() - startedAt < LONGEST) {
      again = true
      return
    }
    timer = setTimeout(run, Math.max(0, endedAt + Math.max(GAP, cost * 3) - performance.now()))
  }

  /* At once and without pins: the person asked for it. */
  qd.refreshNow = () => {
    clearTimeout(timer)
    pinned = false
    run()
  }

  /* At once, but the rows on the screen stay where they are. */
  qd.refreshSoon = () => {
    clearTimeout(timer)
    run()
  }

  qd.on('changed', ask)

  document.addEventListener('htmx:config:request', (event) => {
    const { ctx } = event.detail
    if (ctx.sourceEvent?.type !== 'queuedeck:refresh') return
    if (ctx.sourceElement.id !== 'sheet-job') underway = true
    ctx.request.headers['X-Queuedeck-Refresh'] = '1'
    if (ctx.sourceElement.id === 'jobs' && pinned && busy()) {
      const ids = [...document.querySelectorAll('#rows > tr')].map((row) => row.dataset.id)
      if (ids.length) ctx.request.body.set('pin', ids.join(','))
    }
    if (ctx.sourceElement.id === 'jobs') pinned = true
  })

  document.addEventListener('htmx:finally:request', (event) => {
    const { ctx } = event.detail
    if (ctx.sourceEvent?.type !== 'queuedeck:refresh' || ctx.sourceElement?.id === 'sheet-job') return
    underway = false
    endedAt = performance.now()
    cost = endedAt - startedAt
    if (ctx.response?.status === 200) qd.live?.refreshed(Number(qd.region()?.dataset.revision))
    else if (!ctx.response || ctx.response.status >= 500) qd.live?.failed()
    if (again) {
      again = false
      ask()
    }
  })
})()
