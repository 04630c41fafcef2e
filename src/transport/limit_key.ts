const PLAIN = /^[A-Za-z0-9_.:@-]+$/

/**
 * A user as the claim gate knows it. Most are plain letters and stand for themselves; in others every other byte is written
 * as `%XX`, so that no text of a user can mean more than a name there.
 */
export function limitKeyOf(user: string): string {
  if (PLAIN.test(user)) return user
  return Array.from(Buffer.from(user), (byte) => {
    const letter = String.fromCharCode(byte)
    return PLAIN.test(letter) ? letter : `%${byte.toString(16).padStart(2, '0')}`
  }).join('')
}

/** The user of a limit key. */
export function userOf(key: string): string {
  const bytes = key.replace(/%(..)/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16))
  )
  return Buffer.from(bytes, 'latin1').toString()
}
