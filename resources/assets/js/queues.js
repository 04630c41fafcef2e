/*
 * What waits in queues, limits and workers change without any record changing: while somebody looks, the page asks again. As long as
 * nothing has changed the answer is 304.
 */
;(() => {
  const EVERY = 3_000
  if (!document.getElementById('queues')) return
  setInterval(() => {
    if (document.hidden || document.querySelector('dialog[open]') || window.queuedeck.live?.state !== 'live') return
    window.queuedeck.refreshSoon()
  }, EVERY)
})()
