import { isWholeSentence, type Piece } from './plain_text.ts'

/** A question that a text answers in its own words. */
export type Question = { question: string; answer: string }

/** Sentences that lean on what stands before or on who speaks cannot answer alone. */
const LEANS =
  /^(?:it|this|that|these|those|they|he|she|we|i|you|here|there|then|also|however|but|and|so|or|note|see|for example|in this|as (?:above|mentioned|you)|the (?:above|following|same|latter|former))\b/i

const NOUN =
  '(?:`[^`]{1,50}`|@[\\w./-]{2,50}|\\p{Lu}[\\p{L}\\p{N}.+#-]{1,30}(?: \\p{Lu}[\\p{L}\\p{N}.+#-]{1,30}){0,2})'

/** Words with a capital that are no names at the beginning of a sentence. */
const NO_NAME =
  /^(?:The|A|An|If|When|While|Each|Every|All|Some|Any|By|In|On|For|With|To|From|As|At|Its|Their|Your|Our|My|His|Her|What|Which|Who|Where|Why|How|Another|One|Both|Most|Many|Example|Examples|Usage|Default|Type|Note|Warning|Todo|Yes|No|Please|Thanks|Copyright|License|Everything|Nothing|Anything|Something|Following|Below|Above|There|Here|Currently|Alternatively|Additionally|Otherwise|Sometimes|Often|Usually|Under|Over|After|Before|During|Only|Just|Other|Others|Such|Same|Several|Few|Two|Three|These|This|That|Those|It|They|We|You|I|He|She|Also|Internally|Finally|First|Second|Instead|Available|Supported|Features?|Options?|Parameters?|Returns?|Arguments?|Properties|Methods?|Using|Version|Versions|Required)$/i

const VERB =
  '(?:add|allow|apply|avoid|build|call|catch|change|check|clear|clone|close|combine|compare|compile|configure|connect|convert|copy|create|customi[sz]e|debug|decode|decrypt|define|delete|detect|disable|display|download|emit|enable|encode|encrypt|escape|exclude|execute|exit|export|extend|extract|fetch|filter|find|format|generate|get|handle|hide|ignore|implement|import|include|increase|inject|insert|inspect|install|iterate|limit|listen|load|log|make|manage|match|measure|merge|migrate|mock|modify|normali[sz]e|omit|open|overwrite|override|parse|pass|pause|perform|prevent|print|process|protect|publish|query|read|reduce|register|remove|rename|render|replace|reset|resolve|restrict|retrieve|return|reuse|revert|run|save|search|send|serve|set|share|show|skip|specify|split|start|stop|store|support|suppress|switch|test|throw|track|transform|trigger|turn|update|use|validate|verify|view|watch|work|wrap|write)'

type Rule = { pattern: RegExp; ask: (parts: RegExpExecArray) => string | null }

/**
 * How sentences answer questions. The answer is always the sentence itself.
 */
const RULES: Rule[] = [
  {
    pattern: new RegExp(`^(?:In order to|To) (${VERB} [^,.;:!?]{4,80}), (?!or\\b|and\\b)\\S`, 'u'),
    ask: ([, goal]) => `How do you ${goal}?`,
  },
  {
    pattern: new RegExp(
      `^If you (?:want|need|wish|would like|prefer) to (${VERB} [^,.;:!?]{4,80}), \\S`,
      'u'
    ),
    ask: ([, goal]) => `How do you ${goal}?`,
  },
  {
    pattern: new RegExp(`^(${NOUN}) (is|are) (?:an?|the|one of the) \\p{L}`, 'u'),
    ask: ([, noun, verb]) => named(noun, (name) => `What ${verb} ${name}?`),
  },
  {
    pattern: new RegExp(`^(${NOUN}) (?:allows|lets|enables) (?:you|users|developers)\\b`, 'u'),
    ask: ([, noun]) => named(noun, (name) => `What does ${name} allow you to do?`),
  },
  {
    pattern: new RegExp(
      `^(${NOUN}) (supports|provides|offers|requires|returns|accepts|creates|throws|contains|uses) \\S`,
      'u'
    ),
    ask: ([, noun, verb]) => named(noun, (name) => `What does ${name} ${verb.replace(/s$/, '')}?`),
  },
  {
    pattern: new RegExp(
      `^Use (?:the )?(\`[^\`]{1,50}\`|${NOUN})(?: \\w{3,12})? (?:to|for|when|if) \\S`,
      'u'
    ),
    ask: ([, noun]) => named(noun, (name) => `When do you use ${name}?`),
  },
]

/**
 * Questions about a text, from how its sentences are made, from headings that ask, and from items that explain a name.
 *
 * @param subject  what the document is about, say the name of a package
 */
export function questionsOf(pieces: Piece[], subject: string): Question[] {
  const questions: Question[] = []
  for (const [index, piece] of pieces.entries()) {
    if (piece.kind === 'sentence') {
      const question = asked(piece.text)
      if (question !== null) questions.push({ question, answer: piece.text })
    } else if (piece.kind === 'item') {
      if (!isDescription(piece.text)) continue
      questions.push({ question: `What is \`${piece.name}\` in ${subject}?`, answer: piece.text })
    } else if (piece.kind === 'heading') {
      const answer = answerBelow(pieces, index)
      if (answer === null) continue
      const call = /^`?([\w.$#]{2,50})\(/.exec(piece.text)
      if (
        /^(?:what|how|why|when|where|which|who|can|do|does|is|are|should)\b.{4,120}\?$/i.test(
          piece.text
        )
      ) {
        questions.push({ question: piece.text, answer })
      } else if (call !== null && /^[\p{Lu}][\p{L}-]+s\b/u.test(answer)) {
        questions.push({ question: `What does \`${call[1]}()\` do in ${subject}?`, answer })
      }
    }
  }
  const seen = new Set<string>()
  return questions.filter(({ question, answer }) => {
    const key = question.toLowerCase()
    if (seen.has(key) || answer.length > 600) return false
    seen.add(key)
    return true
  })
}

/** The goal of a sentence, `call the method` of `To call the method, do this.`, for other tasks than questions. */
export function goalOf(sentence: string): string | null {
  const [, goal] = RULES[0].pattern.exec(sentence) ?? RULES[1].pattern.exec(sentence) ?? []
  return goal ?? null
}

function asked(sentence: string): string | null {
  if (!isWholeSentence(sentence) || LEANS.test(sentence) || sentence.endsWith('?')) return null
  for (const { pattern, ask } of RULES) {
    const parts = pattern.exec(sentence)
    const question = parts === null ? null : ask(parts)
    if (question !== null) return question
  }
  return null
}

function named(noun: string, ask: (name: string) => string): string | null {
  const [first] = noun.split(' ')
  return NO_NAME.test(first) ? null : ask(noun)
}

function isDescription(text: string): boolean {
  const words = text.split(' ').length
  return words >= 4 && words <= 60 && !/https?:\/\//.test(text) && /[\p{Ll}]/u.test(text)
}

/** The first sentences of the paragraph below a heading. */
function answerBelow(pieces: Piece[], heading: number): string | null {
  const next = pieces[heading + 1]
  if (next?.kind !== 'sentence' || !isWholeSentence(next.text) || LEANS.test(next.text)) return null
  const second = pieces[heading + 2]
  const together =
    second?.kind === 'sentence' &&
    second.paragraph === next.paragraph &&
    isWholeSentence(second.text) &&
    next.text.length + second.text.length < 300
  return together ? `${next.text} ${second.text}` : next.text
}
