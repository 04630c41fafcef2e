/*
 * Ticked rows: how many, and the actions on all of them, which the server asks about and works on in the background.
 */
;(() => {
  const qd = window.queuedeck
  const boxes = () => [...document.querySelectorAll('#rows .c-tick input')]
  const ticked = () => boxes().filter((box) => box.checked)

  const update = () => {
    const all = document.getElementById('tick-all')
    const bar = document.getElementById('bulk')
    const count = ticked().length
    if (all) {
      all.checked = count > 0 && count === boxes().length
      all.indeterminate = count > 0 && count < boxes().length
    }
    if (bar) bar.hidden = count === 0
    qd.emit('ticked', count)
  }

  document.addEventListener('change', (event) => {
    if (event.target.id === 'tick-all') for (const box of boxes()) box.checked = event.target.checked
    if (event.target.closest('#jobs-table')) update()
  })
  document.addEventListener('htmx:after:swap', update)

  const ask = (action) => {
    const ids = ticked().map((box) => box.value)
    if (ids.length) qd.askAbout(document.getElementById('bulk-form').getAttribute('action'), { action, ids: ids.join(',') })
  }

  const clear = () => {
    for (const box of ticked()) box.checked = false
    update()
  }

  document.addEventListener('click', (event) => {
    const what = event.target.closest?.('[data-ticked]')?.dataset.ticked
    if (!what) return
    if (what === 'clear') {
      clear()
      document.getElementById('tick-all')?.focus()
    } else if (what === 'copy') {
      const ids = ticked().map((box) => box.value)
      navigator.clipboard?.writeText(ids.join('\n')).then(
        () => qd.say(`${ids.length} ids copied`),
        () => qd.say('The browser did not allow copying', true)
      )
    } else {
      event.preventDefault()
      ask(what)
    }
  })
})()
