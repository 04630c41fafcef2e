/*
 * The pages of workers. Workers report without any job changing, and no revision tells of it: while the stream delivers, the page is asked
 * for again every two seconds, and answered with 304 until somebody reported. What cannot do harm is done without a question.
 */
;(() => {
  const qd = window.queuedeck
  const EVERY = 2_000
  if (!document.getElementById('workers-page')) return

  setInterval(() => {
    if (!document.hidden && qd.live?.state === 'live') qd.refreshSoon()
  }, EVERY)

  document.addEventListener('submit', async (event) => {
    const form = event.target
    const wish = form.dataset.quick
    if (!wish) return
    event.preventDefault()
    const button = form.querySelector('button')
    if (button.getAttribute('aria-disabled') === 'true') return
    button.setAttribute('aria-disabled', 'true')
    const answer = await qd.act(form.action)
    button.removeAttribute('aria-disabled')
    qd.emit('notice', { ...qd.outcome(wish, answer), own: true })
    qd.refreshSoon()
  })
})()
