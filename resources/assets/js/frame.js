/*
 * What stands around the region and changes without it: the number of open alerts, and that a server is away. Each refresh says both; the
 * words of the latter come with the page. While one is away nothing may change, so it is asked for until all are back.
 */
;(() => {
  const qd = window.queuedeck
  const EVERY = 5_000
  let asking = false

  const showAway = async () => {
    asking = true
    try {
      const response = await fetch(location.href, { headers: { accept: 'text/html' } })
      const page = new DOMParser().parseFromString(await response.text(), 'text/html')
      const shown = page.getElementById('away')
      if (shown) document.getElementById('away').replaceWith(shown)
    } catch {
      /* The server cannot be reached: the live state says so, and the next refresh asks again. */
    } finally {
      asking = false
    }
  }

  setInterval(() => {
    if (!document.hidden && !document.querySelector('dialog[open]') && document.querySelector('#away .banner')) qd.refreshSoon()
  }, EVERY)

  document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
    const headers = ctx.response?.headers
    if (!headers?.has('x-queuedeck-alerts')) return
    qd.showAlerts(Number(headers.get('x-queuedeck-alerts')))
    const away = document.getElementById('away')
    if (away && !asking && away.dataset.services !== headers.get('x-queuedeck-away')) showAway()
  })
})()
