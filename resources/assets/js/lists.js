/*
 * Links that show another list (facets, chips, sort, pages, pill, bars of the histogram) swap the region and push the
 * address. Without this file they are plain links.
 */
;(() => {
  const qd = window.queuedeck
  const plain = (event) => event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey

  qd.show = (url, source, { top = false } = {}) =>
    htmx.ajax('GET', url, {
      source: source?.isConnected ? source : document.getElementById('filter-form'),
      target: '#jobs',
      swap: top ? 'outerMorph show:top showTarget:body' : 'outerMorph',
      push: 'true',
    })

  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('[data-list]')
    if (!link || plain(event) || !document.getElementById('jobs')) return
    event.preventDefault()
    for (const menu of document.querySelectorAll('details.filters[open], .histo details[open]')) menu.open = false
    const top = link.dataset.list === 'top' || 'pill' in link.dataset
    qd.show(link.getAttribute('href'), link, { top })
  })

  /* Empty fields say nothing and stay out of the address. */
  document.addEventListener('htmx:config:request', (event) => {
    const { ctx } = event.detail
    if (ctx.sourceElement?.id !== 'filter-form' || !(ctx.request.body instanceof FormData)) return
    for (const [name, value] of [...ctx.request.body]) if (value === '') ctx.request.body.delete(name)
  })

  document.addEventListener('submit', (event) => {
    if (event.target.id === 'filter-form') document.getElementById('filters').open = false
  })

  /*
   * What stands in the search field is searched in the end, whatever became of it: a list that arrives while somebody types sets the
   * form up anew, and what it was about to ask is lost; requests take each other's place.
   */
  const LOOK_AFTER = 1_500
  const field = () => document.getElementById('q')
  let searched = field()?.value
  let searches = 0
  let looking = null

  const look = () => {
    clearTimeout(looking)
    if (field().value === searched) return
    if (searches === 0) htmx.trigger(document.getElementById('filter-form'), 'queuedeck:search')
    looking = setTimeout(look, LOOK_AFTER)
  }

  document.addEventListener('input', (event) => {
    if (event.target.id !== 'q' || !document.getElementById('filter-form')) return
    clearTimeout(looking)
    looking = setTimeout(look, LOOK_AFTER)
  })

  const isSearch = ({ detail: { ctx } }) => ctx.sourceElement?.id === 'filter-form'
  document.addEventListener('htmx:before:request', (event) => {
    if (!isSearch(event)) return
    searches++
    event.detail.ctx.searched = field().value
  })
  document.addEventListener('htmx:finally:request', (event) => {
    const { ctx } = event.detail
    if (!isSearch(event) || ctx.searched === undefined) return
    searches--
    const { status } = ctx.response ?? {}
    /* Refused by the server, it is so again. */
    if (ctx.status === 'swapped' || (status >= 400 && status < 500)) searched = ctx.searched
  })

  /* After a list was chosen, say how much it holds: the table itself is no live region. */
  document.addEventListener('htmx:after:swap', (event) => {
    const { ctx } = event.detail
    if (ctx.target?.id !== 'jobs' || ctx.sourceEvent?.type === 'queuedeck:refresh') return
    const caption = document.querySelector('#jobs .showing')?.textContent ?? document.querySelector('#jobs .blank h2')?.textContent
    if (caption) qd.say(caption)
  })

  /* The panels of <details> close like menus do: by Escape, and by a click elsewhere. */
  const panels = () => document.querySelectorAll('details:is(.filters, .more, .alt)[open]')
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return
    for (const panel of panels()) {
      panel.open = false
      panel.querySelector('summary').focus()
    }
  })
  document.addEventListener('pointerdown', (event) => {
    for (const panel of panels()) if (!panel.contains(event.target)) panel.open = false
  })
})()
