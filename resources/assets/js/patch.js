/*
 * Numbers that arrive by the stream are written straight into the page: newest value per job, all in one animation frame.
 * Structure (rows, statuses) never changes here; refreshes do that.
 */
;(() => {
  const qd = window.queuedeck
  const waiting = new Map()
  let frame = 0

  const hosts = (id) =>
    [document.getElementById(`job-${id}`), ...document.querySelectorAll('#job, #sheet-job')].filter(
      (host) => host?.dataset.id === id
    )

  const flush = () => {
    frame = 0
    const unseen = []
    for (const [id, percent, context, items, duration, unit] of waiting.values()) {
      for (const host of hosts(id)) {
        for (const bar of host.querySelectorAll('[data-part="bar"]')) {
          if (bar.value !== percent) bar.value = percent
        }
        const outputs = host.querySelectorAll('[data-part="percent"]')
        for (const output of outputs) qd.write(output, `${percent} %`)
        /* The page was made before the job had reported anything. */
        if (host.dataset.s === 'running' && outputs.length === 0) unseen.push(id)
        if (context !== null) for (const line of host.querySelectorAll('[data-part="context"]')) qd.write(line, context)
        if (items !== null) for (const cell of host.querySelectorAll('[data-part="items"]')) qd.write(cell, items || cell.dataset.none || '')
        if (unit !== null) for (const cell of host.querySelectorAll('[data-part="unit"]')) qd.write(cell, unit)
        if (duration) for (const cell of host.querySelectorAll('[data-part="duration"]')) qd.write(cell, duration)
      }
    }
    waiting.clear()
    if (unseen.length) qd.emit('changed', { ids: unseen })
  }

  qd.on('progress', (updates) => {
    for (const update of updates) {
      waiting.set(update[0], update)
      for (const newest of refreshes.values()) newest.set(update[0], update)
    }
    frame ||= requestAnimationFrame(flush)
  })

  /* A refresh was read before the numbers that came while it was on its way: they are written again over what it brings. */
  const refreshes = new Map()
  const isRefresh = (ctx) => ctx.sourceEvent?.type === 'queuedeck:refresh'
  document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => isRefresh(ctx) && refreshes.set(ctx, new Map()))
  document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
    const isRunning = (id) => hosts(id).some((host) => host.dataset.s === 'running')
    for (const [id, update] of refreshes.get(ctx) ?? []) {
      if (!waiting.has(id) && isRunning(id)) waiting.set(id, update)
    }
    refreshes.delete(ctx)
    if (waiting.size) frame ||= requestAnimationFrame(flush)
  })

  const figures = (list) => {
    const fragment = document.createDocumentFragment()
    for (const { value, unit } of list) {
      const text = document.createElement('span')
      text.textContent = value
      fragment.append(text)
      if (!unit) continue
      const small = document.createElement('small')
      small.textContent = unit
      fragment.append(' ', small)
    }
    return fragment
  }

  qd.on('stats', (stats) => {
    for (const [key, stat] of Object.entries(stats)) {
      const tile = document.querySelector(`[data-stat="${CSS.escape(key)}"]`)
      if (!tile || typeof stat !== 'object' || !stat) continue
      const figure = tile.querySelector('[data-part="figures"]')
      const text = stat.figures.map(({ value, unit }) => value + unit).join('')
      if (figure.textContent.replace(/\s+/g, '') !== text.replace(/\s+/g, '')) {
        figure.replaceChildren(figures(stat.figures))
        /* As in components/tile.edge. */
        figure.classList.toggle('name', stat.figures.length === 1 && stat.figures[0].value.length > 10)
        /* A worker comes and goes without any job changing: the list of workers has to be asked for. */
        if (key === 'activeWorkers') qd.refreshSoon()
      }
      if (stat.sub !== undefined) qd.write(tile.querySelector('[data-part="sub"]'), stat.sub)
      const share = tile.querySelector('[data-part="share"]')
      if (share && stat.share !== null && share.value !== stat.share) share.value = stat.share
    }
  })

  /* A row whose status changed is tinted for a second. The styles decide whether that moves. */
  let before = new Map()
  /* Which of two equal animations a cell had last: the same one would not start again. */
  const turns = new WeakMap()
  const marks = () =>
    new Map([...document.querySelectorAll('#rows > tr, #running > tr')].map((row) => [row.id, row.dataset.s]))

  document.addEventListener('htmx:before:swap', () => (before = marks()))
  document.addEventListener('htmx:after:swap', (event) => {
    if (event.detail.ctx.sourceEvent?.type !== 'queuedeck:refresh') return
    for (const [id, mark] of marks()) {
      if (!before.has(id) || before.get(id) === mark) continue
      const cell = document.querySelector(`#${CSS.escape(id)} .c-state, #${CSS.escape(id)} .w-stage`)
      if (!cell) continue
      turns.set(cell, !turns.get(cell))
      cell.classList.add('fresh')
      cell.classList.toggle('again', turns.get(cell))
    }
  })
})()
