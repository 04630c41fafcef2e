/** `1,204` */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** `1 job`, `1,204 jobs`. */
export function jobsText(number: number): string {
  return `${count(number)} ${number === 1 ? 'job' : 'jobs'}`
}

/** A moment as every host reads it the same. */
export function momentText(at: number): string {
  const date = new Date(Math.max(-8.64e15, Math.min(8.64e15, at)))
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** `310 ms`, `12.4 s`, `14 min`, `3.2 h`, `5.1 d`. */
export function durationText(milliseconds: number): string {
  const ms = Math.round(milliseconds)
  if (ms < 1_000) return `${ms} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`
  if (ms < 172_800_000) return `${(ms / 3_600_000).toFixed(1)} h`
  return `${(ms / 86_400_000).toFixed(1)} d`
}

/** `12.4 MB` */
export function bytesText(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const at = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), units.length - 1)
  const scaled = value / 1_000 ** at
  return `${at === 0 || scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1)} ${units[at]}`
}
