import type { AlertRule, AlertRuleSettings } from '../alert_rules.ts'
import type { Reading } from './readings.ts'

/** Reports that are nearer to each other than this are one sample, ms: clocks are read one after the other. */
const SAME_SAMPLE = 2_000

type Condition = { since: number; samples: number; sample: number | null }

/**
 * Since when values have been at or above their thresholds, before an alert is open. Kept by the process that watches: another that takes
 * over counts anew.
 */
export class Conditions {
  #known = new Map<string, Condition>()

  /**
   * Whether the alert of this rule and subject has to open now.
   *
   * @param now  Epoch ms by the clock of all looks
   */
  mustOpen(rule: AlertRule, reading: Reading, settings: AlertRuleSettings, now: number): boolean {
    const key = keyOf(rule, reading.subject)
    if (reading.value < settings.threshold) {
      this.#known.delete(key)
      return false
    }
    const { sample = null } = reading
    const known = this.#known.get(key)
    /** A clock that was set back begins anew. */
    if (known === undefined || known.since > now) {
      this.#known.set(key, { since: now, samples: 1, sample })
    } else if (sample === null || Math.abs(sample - known.sample!) > SAME_SAMPLE) {
      known.samples++
      known.sample = sample
    }
    const { since, samples } = this.#known.get(key)!
    return now - since >= settings.for && samples >= settings.samples
  }

  /** Forgets what was not seen at this look: it is gone. */
  keep(rule: AlertRule, subjects: ReadonlySet<string>): void {
    for (const key of this.#known.keys()) {
      const [of, ...rest] = key.split('|')
      if (of === rule && !subjects.has(rest.join('|'))) this.#known.delete(key)
    }
  }
}

function keyOf(rule: AlertRule, subject: string): string {
  return `${rule}|${subject}`
}
