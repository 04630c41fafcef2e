import { InvalidInputException } from '../errors.ts'
import { shown } from '../shown.ts'

/**
 * The time zone of a name, spelt as the zone database spells it.
 *
 * @throws InvalidInputException with the field `zone`
 */
export function readZone(name: unknown): string {
  /** Offsets such as `+02:00` name no zone: they know no clock changes. */
  if (typeof name === 'string' && name.length <= 100 && /^[a-z]/i.test(name)) {
    try {
      return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
    } catch {
      /** Told below, with the remedy. */
    }
  }
  throw new InvalidInputException(
    `The time zone "${shown(name, 60)}" is not known: give a name such as "Europe/Berlin" or "UTC"`,
    'zone'
  )
}
