/*
 * Alerts: their forms act without leaving the page, and the rail counts those that are open.
 */
;(() => {
  const qd = window.queuedeck
  const TITLES = { acknowledge: 'Acknowledged', mute: 'Muted', unmute: 'No longer muted' }

  qd.showAlerts = (count) => {
    for (const link of document.querySelectorAll('#rail-alerts, #tab-alerts, #tab-more')) {
      let badge = link.querySelector('.nav-count')
      if (count === 0) {
        badge?.remove()
        continue
      }
      if (!badge) {
        badge = document.createElement('b')
        badge.className = 'nav-count'
        link.append(badge)
      }
      qd.write(badge, String(count))
    }
  }

  const count = async () => {
    const address = document.getElementById('rail-alerts')?.href
    if (!address) return
    try {
      const response = await fetch(address, { headers: { accept: 'application/json' } })
      if (!response.ok) return
      const { open } = await response.json()
      qd.showAlerts(open.filter((alert) => alert.mute === null).length)
    } catch {
      /* The server cannot be reached: the live state says so. */
    }
  }

  qd.on('notice', (notice) => notice.alert && count())

  document.addEventListener('submit', async (event) => {
    const form = event.target
    const { alert } = form.dataset
    if (!alert) return
    event.preventDefault()
    const button = event.submitter ?? form.querySelector('button')
    if (button.getAttribute('aria-disabled') === 'true') return
    button.setAttribute('aria-disabled', 'true')
    const answer = await qd.act(form.action, Object.fromEntries(new FormData(form)))
    button.removeAttribute('aria-disabled')
    const good = answer.outcome === 'done'
    const title = good ? TITLES[alert] : answer.outcome === 'too_late' ? 'Too late' : 'Not done'
    const text = answer.reason ?? (good ? '' : (answer.text ?? ''))
    qd.emit('notice', { title, text, level: good ? 'success' : 'error', own: true, alert: true })
    qd.refreshSoon()
  })
})()
