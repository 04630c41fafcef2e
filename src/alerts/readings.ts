import type { AlertRule } from '../alert_rules.ts'

/**
 * What a rule sees of one subject at one look.
 */
export type Reading = {
  subject: string
  value: number
  /** What is so, in a sentence. */
  text: string
  /** Which report of workers the value is from: one that is new counts as a further sample. */
  sample?: number
}

/**
 * What was seen at one look, by rule. A rule that is absent could not be looked at: nothing changes for it. A subject that is absent is
 * no longer there.
 */
export type Readings = Map<AlertRule, Reading[]>
