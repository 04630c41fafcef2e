/*
 * Dragging over the histogram chooses a time range; a plain click on a bar is its link.
 */
;(() => {
  let drag = null

  const barAt = (bars, x) => {
    let found = 0
    for (const [index, bar] of bars.entries()) if (bar.getBoundingClientRect().left <= x) found = index
    return found
  }

  const paint = () => {
    const [first, last] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)]
    const width = 100 / drag.bars.length
    const shade = drag.figure.querySelector('.drag')
    shade.removeAttribute('hidden')
    const rect = shade.querySelector('rect')
    rect.setAttribute('x', `${first * width}%`)
    rect.setAttribute('width', `${(last - first + 1) * width}%`)
  }

  document.addEventListener('pointerdown', (event) => {
    const figure = event.target.closest?.('#jobs [data-histogram]')
    if (!figure || event.button !== 0 || event.pointerType === 'touch' || event.target.closest('details')) return
    const bars = [...figure.querySelectorAll('.bars a')]
    const at = barAt(bars, event.clientX)
    drag = { figure, bars, from: at, to: at, startX: event.clientX, moved: false }
  })

  document.addEventListener('pointermove', (event) => {
    if (!drag) return
    if (Math.abs(event.clientX - drag.startX) < 4 && !drag.moved) return
    drag.moved = true
    drag.to = barAt(drag.bars, event.clientX)
    paint()
  })

  document.addEventListener('pointerup', () => {
    if (!drag) return
    const { figure, bars, from, to, moved } = drag
    drag = null
    if (!moved) return
    figure.querySelector('.drag').setAttribute('hidden', '')
    window.addEventListener('click', (event) => event.stopPropagation() || event.preventDefault(), { once: true, capture: true })
    const form = document.getElementById('filter-form')
    form.elements.from.value = bars[Math.min(from, to)].dataset.from
    form.elements.to.value = bars[Math.max(from, to)].dataset.to
    form.requestSubmit()
  })

  /* Links and images start a drag of their own, which would end ours. */
  document.addEventListener('dragstart', (event) => event.target.closest?.('[data-histogram]') && event.preventDefault())
})()
