/** Making one costs a hundred times what asking it costs. */
const formats = new Map<string, Intl.DateTimeFormat>()

/**
 * Milliseconds that clocks of a zone are ahead of UTC at a moment.
 */
export function zoneOffset(at: number, zone: string): number {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    if (formats.size > 100) formats.clear()
    formats.set(zone, format)
  }
  const parts = Object.fromEntries(
    format.formatToParts(at).map(({ type, value }) => [type, Number(value)])
  )
  const wall = Date.UTC(
    parts.year,
    parts.month - 1,
    parts.day,
    parts.hour,
    parts.minute,
    parts.second
  )
  return wall - Math.floor(at / 1000) * 1000
}
