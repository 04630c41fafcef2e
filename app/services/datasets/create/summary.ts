import { COMMON_WORDS } from '#services/taxonomy/common_words'
import { stemOf } from '#services/taxonomy/stems'
import { isWholeSentence, type Piece } from './plain_text.ts'

/** Shorter texts are their own summary. */
const FEWEST_SENTENCES = 4
const FEWEST_WORDS = 60

/** A summary is at most this share of its text. */
const LONGEST = 0.4

/** Sentences that lean on others, or speak to the reader, sum up nothing. */
const LEANS =
  /^(?:it|its|this|that|these|those|they|their|but|and|so|or|nor|then|however|also|wait|now|well|note|if so|finally|unfortunately|luckily|fortunately|therefore|thus|hence|otherwise|instead|similarly|likewise|additionally|furthermore|moreover|besides|meanwhile|still|yet|again|next|once|here|there|both|either|neither|let|please|see|important|warning|consider|imagine|say|for (?:example|instance|all|this|that|these|the)|in (?:this|that|these|the|other|such|addition|contrast|fact|short|both|all)|as (?:you|we|shown|mentioned|noted|described|well|such|a result)|(?:a|an|the|any|each) (?:first|next|last|same|latter|former|other|returned|above|following|second|third)|along ?side|because|since|when you|you (?:might|may|will|should|must)|we|i|he|she|errors will)\b|\b(?:following|below|above|let's|earlier|previously|preceding|aforementioned|as follows)\b|[?:]["'`)\]]?$/i

/**
 * The sentences of a text that say most of what the others say, in their order; null where there is too little to summarise. Each
 * sentence is scored by how many other sentences hold its words, for its length, and the first one by its place.
 */
export function summaryOf(pieces: Piece[]): { text: string; summary: string } | null {
  const sentences = pieces.flatMap((piece) =>
    piece.kind === 'sentence' && isWholeSentence(piece.text) ? [piece.text] : []
  )
  const text = sentences.join(' ')
  const words = text.split(' ').length
  if (sentences.length < FEWEST_SENTENCES || words < FEWEST_WORDS) return null

  const stems = sentences.map(
    (sentence) =>
      new Set(
        (sentence.toLowerCase().match(/[\p{L}][\p{L}'’-]+/gu) ?? [])
          .filter((word) => !COMMON_WORDS.has(word))
          .map(stemOf)
      )
  )
  const holding = new Map<string, number>()
  for (const some of stems) for (const stem of some) holding.set(stem, (holding.get(stem) ?? 0) + 1)
  const scores = stems.map((some, index) => {
    const shared = [...some].reduce((sum, stem) => sum + (holding.get(stem) ?? 1) - 1, 0)
    return (shared / (4 + some.size)) * (index === 0 ? 1.5 : 1) + (index === 0 ? 0.2 : 0)
  })
  const order = [...scores.keys()]
    .filter((index) => !LEANS.test(sentences[index]))
    .sort((a, b) => scores[b] - scores[a] || a - b)
  const chosen: number[] = []
  let length = 0
  for (const index of order) {
    const more = sentences[index].split(' ').length
    if (length + more > words * LONGEST) continue
    chosen.push(index)
    length += more
    if (chosen.length === 2) break
  }
  if (chosen.length === 0) return null
  return {
    text,
    summary: chosen
      .sort((a, b) => a - b)
      .map((index) => sentences[index])
      .join(' '),
  }
}
