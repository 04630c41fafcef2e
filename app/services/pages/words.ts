const UNITS: [name: string, seconds: number][] = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
]

/** How long ago a moment was, as people say it. */
export function ago(at: number, now: number = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - at) / 1_000))
  const [name, length] = UNITS.find(([, one]) => seconds >= one) ?? ['s', 1]
  return seconds < 2 ? 'just now' : `${Math.floor(seconds / length)} ${name} ago`
}

/** A count with its noun: `1 page`, `1,204 pages`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}

/** A share of 1 as percent, without decimals. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

/** Bytes as people read them. */
export function size(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`
  if (bytes < 1_048_576) return `${(bytes / 1_024).toFixed(1)} KB`
  return `${(bytes / 1_048_576).toFixed(1)} MB`
}

/**
 * At most so many characters, the mark included; never half a character.
 */
export function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text.toWellFormed()
  return `${text
    .slice(0, longest - 1)
    .toWellFormed()
    .replace(/\uFFFD$/, '')}…`
}

/** The name of a document: its package and file, or what was uploaded without the hash in front. */
export function documentName(path: string): string {
  const parts = path.split('/')
  const file = (parts.at(-1) ?? '').replace(/^[0-9a-f]{16}-/, '')
  if (parts[0] !== 'node_modules') return shortened(file || path, 120)
  return shortened(`${parts.slice(1, -1).join('/')} · ${file}`, 120)
}
