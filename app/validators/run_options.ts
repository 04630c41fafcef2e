import vine from '@vinejs/vine'
import { KINDS } from '#services/pipeline/run_ids'

/** Ways of cutting that the form offers. `headings` is the strategy `schema` with a rule for headings. */
export const CUTS = ['token', 'character', 'semantic', 'headings'] as const

/** Documents of one run. */
export const MOST_DOCUMENTS = 500

const whole = (least: number, most: number) => vine.number().withoutDecimals().min(least).max(most)

/**
 * What the form for a run sends.
 */
export const runOptions = vine.create({
  documents: vine
    .array(vine.string().minLength(1).maxLength(1_000))
    .minLength(1)
    .maxLength(MOST_DOCUMENTS)
    .distinct(),
  cut: vine.enum(CUTS),
  size: whole(16, 100_000),
  overlap: whole(0, 99_999),
  depth: whole(1, 6),
  threshold: vine.number().min(0).max(1),
  kinds: vine.array(vine.enum(KINDS)).minLength(1).maxLength(KINDS.length).distinct(),
})

/** For each field what to do about it, whatever was wrong. */
export const RUN_REMEDIES: Record<string, string> = {
  documents: `Choose 1 to ${MOST_DOCUMENTS} documents.`,
  cut: `Choose how to cut: ${CUTS.join(', ')}.`,
  size: 'The size of a chunk is a whole number from 16 to 100,000.',
  overlap: 'The overlap is a whole number from 0 to below the size.',
  depth: 'The depth of the taxonomy is a whole number from 1 to 6.',
  threshold: 'The threshold is a number from 0 to 1, such as 0.5.',
  kinds: 'Choose at least one kind of dataset.',
}
