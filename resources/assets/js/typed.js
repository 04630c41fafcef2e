/*
 * What somebody typed into a form outlives the end of their session: the server refuses the form without looking at it, and leads back to
 * an empty one. It stays in this tab only, until the next page that comes without that word.
 */
;(() => {
  const KEY = 'queuedeck.typed'
  const LONGEST = 600_000

  document.addEventListener('submit', ({ target }) => {
    if (!target.matches('form[data-typed]')) return
    const fields = [...new FormData(target)].filter(([name, value]) => name !== '_csrf' && typeof value === 'string')
    write({ action: target.action, at: Date.now(), ended: false, fields })
  })

  /* Whoever writes before the scripts are here, on a slow line, sees what it means all the same. */
  for (const field of document.querySelectorAll('form[data-typed] :is(input, textarea)'))
    if (field.value !== field.defaultValue) tell(field)

  const kept = read()
  if (!kept) return
  const ended = kept.ended || document.querySelector('#banners [data-ended]') !== null
  const form = [...document.querySelectorAll('form[data-typed]')].find(({ action }) => action === kept.action)
  if (!ended || form || Date.now() - kept.at > LONGEST) write(null)
  else write({ ...kept, ended })
  if (ended && form && Date.now() - kept.at <= LONGEST) fill(form, kept.fields)

  function fill(form, fields) {
    for (const element of form.elements) {
      const values = fields.filter(([name]) => name === element.name).map(([, value]) => value)
      if (element.type === 'checkbox' || element.type === 'radio') element.checked = values.includes(element.value)
      else if (values.length > 0) element.value = values[0]
      else continue
      tell(element)
    }
  }

  /* After htmx has begun, which waits for the next task itself: before, it hears nothing. */
  function tell(field) {
    setTimeout(() => field.dispatchEvent(new Event('input', { bubbles: true })))
  }

  function read() {
    try {
      return JSON.parse(sessionStorage.getItem(KEY))
    } catch {
      return null
    }
  }

  /** Storage may be forbidden, or full: then it is as without it. */
  function write(value) {
    try {
      if (value === null) sessionStorage.removeItem(KEY)
      else sessionStorage.setItem(KEY, JSON.stringify(value))
    } catch {}
  }
})()
