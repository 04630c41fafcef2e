/*
 * One menu serves all rows: opened by a row's button, filled from that button's data, moved through by the arrow keys.
 */
;(() => {
  const qd = window.queuedeck
  const menu = document.getElementById('row-menu')
  if (!menu) return
  let opener = null

  const items = () => [...menu.querySelectorAll('[role="menuitem"]')]

  const setAction = (name, url, why) => {
    const item = menu.querySelector(`[data-item="${name}"]`)
    item.href = url ?? opener.dataset.open
    item.toggleAttribute('data-confirm', Boolean(url))
    if (url) item.removeAttribute('aria-disabled')
    else item.setAttribute('aria-disabled', 'true')
    const word = name === 'cancel' ? 'Cancel' : 'Restart'
    item.querySelector('span').textContent = url ? word : `${word}: ${why || 'not possible'}`
  }

  const place = () => {
    const box = opener.getBoundingClientRect()
    const { offsetWidth: width, offsetHeight: height } = menu
    const below = box.bottom + 4 + height < innerHeight
    menu.style.left = `${Math.max(8, Math.min(box.right, document.documentElement.clientWidth - 8) - width)}px`
    menu.style.top = `${below ? box.bottom + 4 : Math.max(8, box.top - height - 4)}px`
  }

  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('[data-menu]')
    if (button) {
      if (opener === button && menu.matches(':popover-open')) return menu.hidePopover()
      opener = button
      menu.querySelector('[data-item="open"]').href = button.dataset.open
      setAction('restart', button.dataset.restart, button.dataset.restartWhy)
      setAction('cancel', button.dataset.cancel, button.dataset.cancelWhy)
      menu.showPopover()
      place()
      items()[0].focus()
      return
    }
    const item = event.target.closest?.('#row-menu [role="menuitem"]')
    if (!item) return
    if (item.getAttribute('aria-disabled') === 'true') return event.preventDefault()
    if (item.dataset.item === 'open') {
      event.preventDefault()
      qd.openSheet(item.getAttribute('href'))
    }
    if (item.dataset.item === 'copy') {
      navigator.clipboard?.writeText(opener.closest('tr').dataset.id).then(
        () => qd.say('Copied'),
        () => qd.say('The browser did not allow copying', true)
      )
    }
    menu.hidePopover()
  })

  menu.addEventListener('toggle', (event) => {
    if (event.newState !== 'closed') return opener?.setAttribute('aria-expanded', 'true')
    opener?.removeAttribute('aria-expanded')
    if (!document.querySelector('dialog[open]') && (menu.contains(document.activeElement) || document.activeElement === document.body)) {
      document.getElementById(opener?.id)?.focus({ preventScroll: true })
    }
  })

  menu.addEventListener('keydown', (event) => {
    const list = items()
    const at = list.indexOf(document.activeElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + list.length, Home: 0, End: list.length - 1 }[event.key]
    if (to === undefined) return event.key === 'Tab' && menu.hidePopover()
    event.preventDefault()
    list[to % list.length].focus()
  })
})()
