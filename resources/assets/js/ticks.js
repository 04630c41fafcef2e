/*
 * Ticked rows: how many, and the same actions for each of them, one request a job, with one answer at the end that names
 * what was refused.
 */
;(() => {
  const qd = window.queuedeck
  const AT_ONCE = 4
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

  const ask = (action, list) => {
    const dialog = document.getElementById('confirm')
    const body = document.getElementById('ticked-question').content.cloneNode(true)
    const jobs = `${list.length} ${list.length === 1 ? 'job' : 'jobs'}`
    const word = action === 'cancel' ? 'Cancel' : 'Restart'
    body.querySelector('h2').textContent = `${word} ${jobs}?`
    body.querySelector('p').textContent =
      action === 'cancel'
        ? 'Running jobs are told to stop; waiting ones never start. Jobs that have ended are refused.'
        : 'Failed and cancelled jobs run again with the same payload, as the next run. Others are refused.'
    const sample = body.querySelector('ul')
    const entry = sample.querySelector('li')
    for (const box of list.slice(0, 5)) {
      const row = box.closest('tr')
      const item = entry.cloneNode(true)
      item.dataset.s = row.dataset.s
      item.querySelector('use').setAttribute('href', `#i-${row.dataset.s}`)
      item.querySelector('span').textContent = row.querySelector('.c-job a').textContent
      item.querySelector('code').textContent = row.querySelector('.c-job b').textContent
      sample.append(item)
    }
    entry.remove()
    body.querySelector('.hint').textContent = list.length > 5 ? `and ${list.length - 5} more` : ''
    const yes = body.querySelector('[value="yes"]')
    yes.textContent = `${word} ${jobs}`
    yes.classList.add(...(action === 'cancel' ? ['danger', 'sure'] : ['main']))
    document.getElementById('confirm-body').replaceChildren(body)
    dialog.returnValue = ''
    dialog.showModal()
    return new Promise((resolve) => {
      dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true })
    })
  }

  const run = async (action) => {
    const list = ticked()
    if (!list.length || !(await ask(action, list))) return
    const urls = list.map((box) => box.closest('tr').querySelector('[data-menu]').dataset.open + `/${action}`)
    const answers = []
    const work = async () => {
      while (urls.length) answers.push(await qd.act(urls.shift()))
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    const good = answers.filter(({ outcome }) => outcome === 'done' || outcome === 'requested').length
    const reasons = [...new Set(answers.filter(({ outcome }) => outcome !== 'done' && outcome !== 'requested').map(({ reason }) => reason))]
    const past = action === 'cancel' ? 'Cancelled' : 'Restarted'
    qd.emit('notice', {
      level: good === answers.length ? 'success' : 'error',
      title: `${past} ${good} of ${answers.length}`,
      text: reasons.filter(Boolean).join('; '),
      own: true,
    })
    clear()
    qd.refreshSoon()
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
      run(what)
    }
  })
})()
