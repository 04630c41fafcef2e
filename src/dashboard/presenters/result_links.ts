import { cutText } from '../../cut_text.ts'

/** A link beside a result. */
export type ResultLink = { label: string; url: string }

const MOST = 50
const LONGEST_LABEL = 120
const LONGEST_URL = 2_000

/**
 * What a result offers as `links`, a list of `{ label, url }`. Results are written by whoever runs jobs: only paths of this host become
 * links, and anything else stays what it is in the result's text.
 *
 * @param text the result as JSON, without its secrets
 */
export function resultLinks(text: string | null): ResultLink[] {
  if (text === null || !text.includes('"links"')) return []
  let links: unknown
  try {
    links = (JSON.parse(text) as { links?: unknown } | null)?.links
  } catch {
    return []
  }
  return Array.isArray(links) ? links.slice(0, MOST).flatMap(linkOf) : []
}

function linkOf(value: unknown): ResultLink[] {
  const { label, url } = (value ?? {}) as { label?: unknown; url?: unknown }
  if (typeof label !== 'string' || label.trim() === '' || typeof url !== 'string') return []
  return isPath(url) ? [{ label: cutText(label, LONGEST_LABEL), url }] : []
}

/** A path below this host's root: no other host behind two slashes, which browsers also read in backslashes and around tabs. */
function isPath(url: string): boolean {
  return url.length <= LONGEST_URL && /^\/(?!\/)[\w.~%!$&'()*+,;=:@/?-]*$/.test(url)
}
