/*
 * Pages that change without any record of a job changing: while somebody looks and the stream delivers, they ask again as often as
 * they say. As long as nothing has changed the answer is 304.
 */
;(() => {
  const region = document.querySelector('[data-again]')
  if (!region) return
  setInterval(() => {
    if (document.hidden || document.querySelector('dialog[open]') || window.queuedeck.live?.state !== 'live') return
    window.queuedeck.refreshSoon()
  }, Number(region.dataset.again))
})()
