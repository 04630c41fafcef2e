import { createHash } from 'node:crypto'
import type { DatasetKind, Extract } from '#services/documents/artifacts'
import type { Example } from '../example.ts'
import { isWholeSentence, type Piece, piecesOf } from './plain_text.ts'
import { goalOf, type Question, questionsOf } from './questions.ts'
import { summaryOf } from './summary.ts'

export type CreatedKind = Exclude<DatasetKind, 'other'>

/** Words that a text to be classified has, at least. */
const FEWEST_WORDS = 12

/**
 * What is made of one extract. The first two members of each are its content, the rest says where it comes from.
 *
 * @param name  of its category, in words
 */
export function examplesOf(kind: CreatedKind, extract: Extract, name: string): Example[] {
  return attributed(MAKERS[kind](piecesOf(extract.text), extract, name), extract)
}

/** The text of an extract as people read it, and what it is about: what a provider is asked with. */
export function passageOf(extract: Extract): { text: string; subject: string } {
  return { text: contextOf(piecesOf(extract.text)), subject: subjectOf(extract.source) }
}

/** Examples of questions that were found elsewhere. */
export function questionExamples(questions: Question[], text: string, extract: Extract): Example[] {
  return attributed(
    questions.map(({ question, answer }) => ({ question, answer, context: text })),
    extract
  )
}

function attributed(made: Example[], extract: Extract): Example[] {
  return made.map((example, index) => ({
    id: `${extract.id}-${index + 1}`,
    ...example,
    category: extract.category,
    source: extract.source,
    start: extract.start,
    end: extract.end,
    confidence: extract.confidence,
  }))
}

const MAKERS: Record<CreatedKind, (pieces: Piece[], extract: Extract, name: string) => Example[]> =
  {
    classification(pieces, extract) {
      const text = pieces
        .flatMap((piece) =>
          piece.kind === 'item'
            ? `${piece.name}: ${piece.text}`
            : piece.kind === 'code'
              ? []
              : piece.text
        )
        .join('\n')
      const words = text.match(/\p{L}{2,}/gu)?.length ?? 0
      return words < FEWEST_WORDS ? [] : [{ text, label: extract.category }]
    },

    question_answer(pieces, extract) {
      const context = contextOf(pieces)
      return questionsOf(pieces, subjectOf(extract.source)).map(({ question, answer }) => ({
        question,
        answer,
        context,
      }))
    },

    instruction(pieces, extract, name) {
      const subject = subjectOf(extract.source)
      const context = contextOf(pieces)
      const examples: Example[] = []
      for (const [index, piece] of pieces.entries()) {
        const code = pieces[index + 1]
        const goal = piece.kind === 'sentence' ? goalOf(piece.text) : null
        if (goal !== null && code?.kind === 'code' && code.text.length < 2_000) {
          examples.push({
            instruction: `${varied(extract.id, ['Show the code to', 'Write code to', 'Give an example of code to'])} ${goal} with ${subject}.`,
            input: context,
            output: code.text,
          })
        }
      }
      for (const { question, answer } of questionsOf(pieces, subject).slice(0, 2)) {
        examples.push({ instruction: question, input: context, output: answer })
      }
      const summary = summaryOf(pieces)
      if (summary !== null) {
        examples.push({
          instruction: varied(extract.id, [
            'Summarise the text in one or two sentences.',
            `What does the text say about ${name.toLowerCase() === name ? name : `"${name}"`}? Answer in at most two sentences.`,
            `Give the gist of this part of the documentation of ${subject}.`,
            'Shorten the text to its most important sentences.',
          ]),
          input: summary.text,
          output: summary.summary,
        })
      }
      return examples
    },

    summary(pieces) {
      const summary = summaryOf(pieces)
      return summary === null ? [] : [summary]
    },
  }

/** What a document is about, by its name: the package that it came with, or the file that was uploaded. */
export function subjectOf(source: string): string {
  const [, inside] = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source) ?? []
  if (inside !== undefined) return inside
  const file = source
    .split('/')
    .at(-1)!
    .replace(/\.[a-z0-9]{1,10}$/i, '')
  return file.replace(/^[0-9a-f]{16}-/, '').replaceAll('_', ' ')
}

function contextOf(pieces: Piece[]): string {
  return pieces
    .flatMap((piece) => {
      if (piece.kind === 'code') return []
      if (piece.kind === 'item') return `${piece.name}: ${piece.text}`
      return piece.kind === 'heading' || isWholeSentence(piece.text) || piece.text.length > 20
        ? piece.text
        : []
    })
    .join('\n')
}

/** One of several wordings, always the same for the same id. */
function varied(id: string, wordings: string[]): string {
  const digest = createHash('sha256').update(id).digest()
  return wordings[digest[0] % wordings.length]
}
