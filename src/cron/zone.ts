import { InvalidInputException } from '../errors.ts'
import { shown } from '../shown.ts'

/**
 * The time zone of a name, spelt as the zone database spells it. Of two names of one zone the one that was given stays: Intl makes
 * Asia/Calcutta of Asia/Kolkata, Europe/Kiev of Europe/Kyiv and America/Panama of EST.
 *
 * @throws InvalidInputException with the field `zone`
 */
export function readZone(name: unknown): string {
  /** Offsets such as `+02:00` name no zone: they know no clock changes. */
  if (typeof name === 'string' && name.length <= 100 && /^[a-z]/i.test(name)) {
    try {
      const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions()
      const isOther = timeZone.toLowerCase() !== name.toLowerCase()
      return isOther && /[A-Z]/.test(name) ? name : timeZone
    } catch {
      /** Told below, with the remedy. */
    }
  }
  throw new InvalidInputException(
    `The time zone "${shown(name, 60)}" is not known: give a name such as "Europe/Berlin" or "UTC"`,
    'zone'
  )
}
