/*
 * Keeps relative times and running durations true without asking the server. Time is counted from the moment a region
 * arrived, by the server's own clock as the region states it: the viewer's clock may be wrong.
 */
;(() => {
  const qd = window.queuedeck
  const arrivals = new WeakMap()

  const regionNow = (element) => {
    const region = element.closest('[data-now]')
    const stated = Number(region.dataset.now)
    let arrival = arrivals.get(region)
    if (arrival?.stated !== stated) {
      arrival = { stated, at: performance.now() }
      arrivals.set(region, arrival)
    }
    return { stated, elapsed: performance.now() - arrival.at }
  }

  const rough = (ms) => {
    const seconds = Math.max(0, Math.round(ms / 1_000))
    if (seconds < 60) return `${seconds} s`
    if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
    if (seconds < 48 * 3_600) return `${Math.floor(seconds / 3_600)} h`
    return `${Math.floor(seconds / 86_400).toLocaleString('en-US')} d`
  }

  const relative = (distance) => {
    if (distance > -1_000 && distance < 1_000) return 'now'
    return distance > 0 ? `${rough(distance)} ago` : `in ${rough(-distance)}`
  }

  const pair = (large, unit, small, smallUnit) =>
    small ? `${large} ${unit} ${String(small).padStart(2, '0')} ${smallUnit}` : `${large} ${unit}`

  const duration = (ms) => {
    if (ms < 1_000) return `${Math.round(ms)} ms`
    if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
    const seconds = Math.round(ms / 1_000)
    if (seconds < 3_600) return pair(Math.floor(seconds / 60), 'min', seconds % 60, 's')
    const minutes = Math.round(seconds / 60)
    if (minutes < 1_440) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
    const hours = Math.round(minutes / 60)
    return pair(Math.floor(hours / 24), 'd', hours % 24, 'h')
  }

  qd.age = rough

  const tick = () => {
    if (document.hidden) return
    for (const element of document.querySelectorAll('[data-moment]')) {
      const { stated, elapsed } = regionNow(element)
      qd.write(element, relative(stated + elapsed - Number(element.dataset.moment)))
    }
    for (const element of document.querySelectorAll('[data-elapsed]')) {
      const { elapsed } = regionNow(element)
      qd.write(element, duration(Number(element.dataset.elapsed) + elapsed))
    }
  }

  /* Arrival is noted when a region comes, not when the first tick sees it. */
  const note = () => {
    for (const region of document.querySelectorAll('[data-now]')) regionNow(region)
  }
  note()
  document.addEventListener('htmx:after:swap', note)
  setInterval(tick, 1_000)

  /* The server shows moments in the viewer's zone once it knows it. */
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const told = document.body.dataset.zone
  if (zone && told !== undefined && told !== zone && document.body.dataset.preferences) {
    qd.act(document.body.dataset.preferences, { zone }).then(() => qd.region() && qd.refreshNow?.())
  }
})()
