/**
 * How long a server asks to wait, ms: seconds or a date (RFC 9110, 10.2.3). Null where it says nothing that can be read.
 *
 * @param now  moment of the answer, ms
 */
export function retryAfter(header: string | null, now: number): number | null {
  if (header === null) return null
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1_000
  const moment = Date.parse(header)
  return Number.isNaN(moment) ? null : Math.max(0, moment - now)
}
