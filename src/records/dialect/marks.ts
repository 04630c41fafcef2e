const known = new Map<string, string>()

/**
 * `?` as PostgreSQL numbers them. Our statements hold no `?` in texts.
 */
export function numbered(sql: string): string {
  let text = known.get(sql)
  if (text !== undefined) return text
  let count = 0
  text = sql.replaceAll('?', () => `$${++count}`)
  if (known.size > 1_000) known.clear()
  known.set(sql, text)
  return text
}
