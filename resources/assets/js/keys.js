/*
 * Keyboard shortcuts. They can be switched off, keep out of fields and out of dialogs, and never take a modified key.
 */
;(() => {
  const qd = window.queuedeck

  qd.shortcuts = {
    get on() {
      return qd.storage.get('keys') !== 'off'
    },
    set on(value) {
      qd.storage.set('keys', value ? 'on' : 'off')
    },
  }

  const rows = () => [...document.querySelectorAll('#rows > tr, #running > tr')]
  const current = () => document.activeElement?.closest?.('#rows > tr, #running > tr')

  const go = (to) => {
    const list = rows()
    const row = list[Math.max(0, Math.min(list.length - 1, to))]
    row?.querySelector('a[data-sheet]').focus()
    row?.scrollIntoView({ block: 'nearest' })
  }

  const KEYS = {
    '/': () => document.getElementById('q')?.select() ?? document.getElementById('q')?.focus(),
    'j': () => go(rows().indexOf(current()) + 1),
    'k': () => go(current() ? rows().indexOf(current()) - 1 : 0),
    'x': () => current()?.querySelector('input[type="checkbox"]')?.click(),
    'r': () => {
      qd.refreshNow()
      qd.say('Refreshed')
    },
    '?': () => document.getElementById('keys')?.showModal(),
  }

  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    if (event.target.matches('input:not([type="checkbox"]), select, textarea, [contenteditable]')) return
    if (document.querySelector('dialog[open], [popover]:popover-open')) return
    const act = KEYS[event.key]
    if (!act || !qd.shortcuts.on) return
    event.preventDefault()
    act()
  })
})()
