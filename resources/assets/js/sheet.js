/*
 * The right sheet over a list: one job, with the job's own address, newer and older neighbours, and focus back on the row
 * when it closes. A reload at that address shows the job's full page.
 */
;(() => {
  const qd = window.queuedeck
  const sheet = document.getElementById('sheet')
  if (!sheet) return
  let listTitle = document.title
  let listUrl = location.href
  let pushed = false
  let returning = false
  let row = null
  const focusRow = () => document.getElementById(`open-${row}`)?.focus({ preventScroll: true })

  const load = (url) => htmx.ajax('GET', url, { source: sheet, target: '#sheet-body', swap: 'innerHTML' })

  const open = async (url) => {
    await load(url)
    const job = document.getElementById('sheet-job')
    if (!job) return
    if (!sheet.open) {
      listTitle = document.title
      if (!pushed) listUrl = location.href
      sheet.showModal()
    }
    document.title = job.dataset.title
    const entry = { htmx: true, sheet: true }
    if (pushed) history.replaceState(entry, '', job.dataset.url)
    else history.pushState(entry, '', job.dataset.url)
    pushed = true
    document.getElementById('sheet-title').focus()
  }

  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[data-sheet]')
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    open(link.getAttribute('href'))
  })

  sheet.addEventListener('click', (event) => {
    if (event.target === sheet || event.target.closest('[data-close]')) sheet.close()
  })

  sheet.addEventListener('close', () => {
    row = document.getElementById('sheet-job')?.dataset.id
    document.title = listTitle
    if (pushed) {
      pushed = false
      returning = true
      /* A busy browser may go back seconds later; taken for the person's own step, it would load the list anew. */
      setTimeout(() => (returning = false), 10_000)
      history.back()
    }
    focusRow()
    document.getElementById('sheet-body').replaceChildren()
  })

  /* Back from the sheet closes it and forward opens it again; the list below was never left, so nothing is loaded anew. */
  document.addEventListener('htmx:before:history:restore', (event) => {
    if (returning || sheet.open) {
      event.preventDefault()
      /* Chromium drops the focus when it goes back. */
      if (returning) setTimeout(focusRow)
      returning = false
      pushed = false
      if (sheet.open) sheet.close()
    } else if (history.state?.sheet && location.href !== listUrl) {
      event.preventDefault()
      pushed = true
      open(location.href)
    }
  })

  qd.openSheet = open
})()
