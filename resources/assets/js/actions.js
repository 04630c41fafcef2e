/*
 * Actions ask first. The question is the server's own confirmation page, shown in a dialog; the answer to the action becomes
 * a notice, and the page shows the new state at once.
 */
;(() => {
  const qd = window.queuedeck
  const dialog = document.getElementById('confirm')
  if (!dialog) return

  const OUTCOMES = {
    bulk: { refused: 'Not begun' },
    cancel: { done: 'Cancelled', requested: 'Stopping', too_late: 'Too late', refused: 'Not cancelled' },
    drain: { done: 'Drained' },
    priority: { done: 'Priority changed', too_late: 'Too late', refused: 'Priority not changed' },
    restart: { done: 'Restarted', too_late: 'Too late', refused: 'Not restarted' },
    quiet: { done: 'Quiet', requested: 'Asked to take no more jobs', too_late: 'Too late', refused: 'Not asked' },
    resume: { done: 'Active', requested: 'Asked to take jobs again', too_late: 'Too late', refused: 'Not asked' },
    stop: { requested: 'Asked to stop', too_late: 'Too late', refused: 'Not asked' },
  }

  /* Whether it was done is not said by whoever does not know. */
  const UNKNOWN = { unanswered: 'No answer' }

  const question = async (url) => {
    await htmx.ajax('GET', url, { source: dialog, target: '#confirm-body', swap: 'innerHTML' })
    if (!dialog.querySelector('form')) return
    if (!dialog.open) dialog.showModal()
    dialog.querySelector('#confirm-field, #confirm-keep')?.focus()
  }
  qd.confirm = question

  /* The same where what is asked about is too long for an address. */
  qd.askAbout = async (url, fields) => {
    const headers = { 'accept': 'text/html', 'hx-request': 'true', 'hx-request-type': 'partial' }
    if (qd.token()) headers['x-csrf-token'] = qd.token()
    const sent = fetch(url, { method: 'POST', headers, body: new URLSearchParams(fields) })
    const response = await sent.catch(() => null)
    if (!response?.ok || response.redirected) {
      const answered = response?.redirected ? qd.OLD : `The server answered ${response?.status}`
      const text = response ? answered : 'The server cannot be reached'
      return qd.emit('notice', { level: 'error', title: 'Not possible now', text, own: true })
    }
    const body = document.getElementById('confirm-body')
    body.innerHTML = await response.text()
    if (!dialog.open) dialog.showModal()
    dialog.querySelector('#confirm-keep')?.focus()
  }

  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[data-confirm]')
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    question(link.getAttribute('href'))
  })

  dialog.addEventListener('click', (event) => {
    if (event.target !== dialog && !event.target.closest('[data-close]')) return
    event.preventDefault()
    dialog.close()
  })
  dialog.addEventListener('close', () => document.getElementById('confirm-body').replaceChildren())

  qd.outcome = (action, { outcome, reason, text }) => {
    const good = outcome === 'done' || outcome === 'requested'
    return { title: OUTCOMES[action]?.[outcome] ?? UNKNOWN[outcome] ?? outcome, text: reason ?? text ?? '', level: good ? 'success' : 'error' }
  }

  dialog.addEventListener('submit', async (event) => {
    const form = event.target
    if (!form.dataset.act) return
    event.preventDefault()
    const button = event.submitter
    if (button?.getAttribute('aria-disabled') === 'true') return
    button?.setAttribute('aria-disabled', 'true')
    const { act } = form.dataset
    /* By the attribute: a field may be called `action`. */
    const answer = await qd.act(form.getAttribute('action'), Object.fromEntries(new FormData(form)))
    dialog.close()
    /* What goes on in the background has a page of its own. */
    if (answer.url) return location.assign(answer.url)
    qd.emit('notice', { ...qd.outcome(act, answer), own: true })
    qd.refreshSoon()
  })

  /* Copy buttons name the element whose text they copy. */
  document.addEventListener('click', async (event) => {
    const button = event.target.closest?.('[data-copy]')
    if (!button) return
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent)
      qd.say('Copied')
      qd.write(button, 'Copied')
      setTimeout(() => qd.write(button, button.dataset.copy.endsWith('id') ? 'Copy id' : 'Copy'), 1_500)
    } catch {
      qd.say('The browser did not allow copying', true)
    }
  })
})()
