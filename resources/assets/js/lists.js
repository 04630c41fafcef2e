/*
 * Links that show another list (facets, chips, sort, pages, pill, bars of the histogram) swap the region and push the
 * address. Without this file they are plain links.
 */
;(() => {
  const qd = window.queuedeck
  const plain = (event) => event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey

  /* The source makes lists take each other's place: the one that was asked for last stays, whichever arrives last. */
  const show = (url, top) =>
    htmx.ajax('GET', url, {
      source: '#filters',
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
    show(link.getAttribute('href'), top)
  })

  /* Empty fields say nothing and stay out of the address. */
  document.addEventListener('htmx:config:request', (event) => {
    const { ctx } = event.detail
    if (ctx.sourceElement?.id !== 'filter-form' || !(ctx.request.body instanceof FormData)) return
    for (const [name, value] of [...ctx.request.body]) if (value === '') ctx.request.body.delete(name)
  })

  /* Why a moment in the panel of filters is refused: told beside it, where it is mended. A refresh of the page would take it away. */
  let refusal = null
  const showRefusal = () => {
    for (const field of document.querySelectorAll('.filter-range .input')) {
      const error = document.getElementById(`${field.id}-error`)
      const text = refusal?.field === field.name ? refusal.text : ''
      qd.write(error, text)
      error.hidden = !text
      if (text) {
        field.setAttribute('aria-invalid', 'true')
        field.setAttribute('aria-describedby', error.id)
      } else {
        field.removeAttribute('aria-invalid')
        field.removeAttribute('aria-describedby')
      }
    }
  }
  document.addEventListener('input', (event) => {
    if (!refusal || refusal.field !== event.target.name || !event.target.closest('.filter-range')) return
    refusal = null
    showRefusal()
  })
  const isSubmit = (ctx) => ctx.sourceElement?.id === 'filter-form' && ctx.sourceEvent?.type === 'submit'

  /* After a list was chosen, say how much it holds: the table itself is no live region. */
  document.addEventListener('htmx:after:swap', (event) => {
    const { ctx } = event.detail
    if (ctx.sourceEvent?.type === 'queuedeck:refresh') return showRefusal()
    if (ctx.target?.id !== 'jobs') return
    refusal = null
    showRefusal()
    if (isSubmit(ctx)) document.getElementById('filters').open = false
    const caption = document.querySelector('#jobs .showing')?.textContent ?? document.querySelector('#jobs .blank h2')?.textContent
    if (caption) qd.say(caption)
  })

  /*
   * A list that a person asked for and did not get: the address stays that of the list which is shown, and why is told. Of a refresh, which
   * nobody asked for, the state of the page tells.
   */
  const wasAsked = (ctx) => ctx.target?.id === 'jobs' && ctx.sourceEvent?.type !== 'queuedeck:refresh'
  const refused = (text) => qd.emit('notice', { level: 'error', title: 'The list stays as it was', text, own: true })
  document.addEventListener('htmx:after:request', (event) => {
    const { ctx } = event.detail
    const { status, headers } = ctx.response
    if (!wasAsked(ctx) || status < 400 || headers.has('hx-redirect') || headers.has('hx-refresh')) return
    event.preventDefault()
    const page = headers.has('x-queuedeck') && new DOMParser().parseFromString(ctx.text, 'text/html')
    const said = page && page.querySelector('.blank')
    const text = said?.querySelector('p')?.textContent.trim() || `The server answered ${status}`
    const field = said?.dataset.field && document.querySelector(`#filters[open] .filter-range [name="${CSS.escape(said.dataset.field)}"]`)
    if (!field) return refused(text)
    refusal = { field: field.name, text }
    showRefusal()
    field.focus({ preventScroll: true })
    field.parentElement.scrollIntoView({ block: 'center' })
  })
  document.addEventListener('htmx:error', (event) => {
    if (wasAsked(event.detail.ctx)) refused('The server cannot be reached')
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
