/*
 * Alpine's part: the live state in the top bar, preferences, notices, the bar of ticked rows, the switch of the shortcuts.
 */
;(() => {
  const qd = window.queuedeck
  const MARKS = { connecting: 'pending', live: 'completed', polling: 'suspect', offline: 'pending' }
  const LEVELS = { success: 'completed', error: 'failed', info: 'pending' }

  document.addEventListener('alpine:init', () => {
    Alpine.data('live', () => ({
      state: 'connecting',
      mark: 'pending',
      age: '',
      hint: '',
      timer: 0,
      init() {
        qd.on('state', () => this.update(true))
        this.timer = setInterval(() => this.update(false), 1_000)
      },
      destroy() {
        clearInterval(this.timer)
      },
      update(changed) {
        const live = qd.live
        if (!live) return
        this.state = live.state
        this.mark = MARKS[live.state]
        const age = qd.age(Date.now() - live.freshAt)
        const wait = Math.max(0, live.nextTryAt - Date.now())
        if (live.state === 'live') this.age = `· ${age}`
        if (live.state === 'polling') this.age = `· every 30 s, ${age} old`
        if (live.state === 'offline') this.age = `· ${age} old, next try in ${qd.age(wait)}`
        this.hint = `Numbers are ${age} old`
        if (changed && live.state !== 'live') qd.say(`${live.state}: numbers may be old`)
        if (changed && live.state === 'live' && Date.now() - live.openedAt > 5_000) qd.say('live again')
      },
    }))

    Alpine.data('preferences', () => ({
      choose(event) {
        const { name, value } = event.submitter ?? {}
        if (name !== 'theme' && name !== 'density') return
        event.preventDefault()
        document.documentElement.dataset[name] = value
        for (const button of document.querySelectorAll(`.view-form [name="${name}"]`)) {
          button.setAttribute('aria-pressed', String(button.value === value))
        }
        qd.act(event.target.getAttribute('action'), { [name]: value })
      },
      keys() {
        document.getElementById('view-menu').open = false
        document.getElementById('keys').showModal()
      },
    }))

    Alpine.data('shortcuts', () => ({
      on: qd.shortcuts.on,
      toggle(event) {
        this.on = qd.shortcuts.on = event.target.checked
      },
    }))

    Alpine.data('ticked', () => ({
      label: '',
      init() {
        qd.on('ticked', (count) => (this.label = `${count} ticked`))
      },
    }))

    Alpine.data('toasts', () => ({
      items: [],
      next: 1,
      init() {
        qd.on('notice', (notice) => this.add(notice))
      },
      add({ level = 'info', title, text = '', own = false }) {
        const toast = { id: this.next++, mark: LEVELS[level] ?? 'pending', title, text }
        this.items = [...this.items.slice(-3), toast]
        qd.say([title, text].filter(Boolean).join(': '), level === 'error' && own)
        setTimeout(() => this.remove(toast.id), level === 'error' ? 12_000 : 6_000)
      },
      dismiss(event) {
        this.remove(Number(event.currentTarget.dataset.id))
      },
      remove(id) {
        this.items = this.items.filter((toast) => toast.id !== id)
      },
    }))
  })
})()
