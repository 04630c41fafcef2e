import { FRAME } from '#services/taxonomy/names'
import { stemOf } from '#services/taxonomy/stems'
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

/** `subject` is what the document is about. */
type Rule = { pattern: RegExp; ask: (parts: RegExpExecArray, subject: string) => string | null }

/**
 * How sentences answer questions. The answer is always the sentence itself.
 */
const RULES: Rule[] = [
  {
    pattern: new RegExp(`^(?:In order to|To) (${VERB} [^,.;:!?]{4,80}), (?!or\\b|and\\b)\\S`, 'u'),
    ask: ([, goal], subject) => `How do you ${withSubject(goal, subject)}?`,
  },
  {
    pattern: new RegExp(
      `^If you (?:want|need|wish|would like|prefer) to (${VERB} [^,.;:!?]{4,80}), \\S`,
      'u'
    ),
    ask: ([, goal], subject) => `How do you ${withSubject(goal, subject)}?`,
  },
  {
    pattern: new RegExp(`^(${NOUN}) (is|are) (?:an?|the|one of the) \\p{L}`, 'u'),
    ask: ([, noun, verb], subject) =>
      named(noun, (name) => `What ${verb} ${inSubject(name, subject)}?`),
  },
  {
    pattern: new RegExp(`^(${NOUN}) (?:allows|lets|enables) (?:you|users|developers)\\b`, 'u'),
    ask: ([, noun], subject) =>
      named(noun, (name) => `What does ${inSubject(name, subject)} allow you to do?`),
  },
  {
    pattern: new RegExp(
      `^(${NOUN}) (supports|provides|offers|requires|returns|accepts|creates|throws|contains|uses) \\S`,
      'u'
    ),
    ask: ([, noun, verb], subject) =>
      named(noun, (name) => `What does ${inSubject(name, subject)} ${verb.replace(/s$/, '')}?`),
  },
  {
    pattern: new RegExp(
      `^Use (?:the )?(\`[^\`]{1,50}\`|${NOUN})(?: \\w{3,12})? (?:to|for|when|if) \\S`,
      'u'
    ),
    ask: ([, noun], subject) =>
      named(noun, (name) => `When do you use ${inSubject(name, subject)}?`),
  },
]

/**
 * Questions about a text, from how its sentences are made, from headings that ask, and from items that explain a name.
 *
 * @param subject  what the document is about, say the name of a package
 */
export function questionsOf(pieces: Piece[], subject: string): Question[] {
  const questions: Question[] = []
  let heading = ''
  for (const [index, piece] of pieces.entries()) {
    if (piece.kind === 'sentence') {
      const question = asked(piece.text, subject)
      if (question !== null) questions.push({ question, answer: piece.text })
    } else if (piece.kind === 'item') {
      const question = isDescription(piece.text) ? askedOfItem(piece.name, heading, subject) : null
      if (question !== null) questions.push({ question, answer: piece.text })
    } else if (piece.kind === 'heading') {
      heading = piece.text
      const answer = answerBelow(pieces, index)
      if (answer === null) continue
      const call = CALL.exec(piece.text)
      if (ASKING.test(piece.text)) questions.push({ question: piece.text, answer })
      else if (call !== null && /^[\p{Lu}][\p{L}-]+s\b/u.test(answer)) {
        questions.push({ question: `What does \`${call[1]}()\` do in ${subject}?`, answer })
      }
    }
  }
  const seen = new Set<string>()
  return questions.filter(({ question, answer }) => {
    const key = question.toLowerCase()
    if (seen.has(key) || answer.length > 600 || !tells(question, answer)) return false
    seen.add(key)
    return true
  })
}

/** A heading that asks by itself, in words that need nothing around it. */
const ASKING =
  /^(?:what|how|why|when|where|which|who|can|do|does|is|are|should)\b(?!.*\b(?:this|that|these|it)\b).{4,120}\?$/i

const CALL = /^`?\.?([\w.$#]{2,50})\(/

/** What stands for any value, or for none: it names nothing that one would ask for. */
const NO_THING =
  /^['"\d-]|^(?:true|false|null|undefined|string|number|boolean|object|array|function|any|void|unknown|never|value|values|key|keys|name|type|id|data|args|arguments|options|params|callback(?:fn)?|cb|fn|index|item|items|input|output|result|path|text|str|obj|err|error|min|max|ms|min|hr?|[smhdwy])$/i

/** What is asked about an item of a list that explains a name, by the heading above it. */
function askedOfItem(name: string, heading: string, subject: string): string | null {
  const method = /([\w.$#]{2,50})\(/.exec(name)
  if (method !== null) return `What does \`${method[1].replace(/^\./, '')}()\` do in ${subject}?`
  if (NO_THING.test(name) || /\s/.test(name)) return null
  const call = CALL.exec(heading)
  if (call !== null) return `What is \`${name}\` of \`${call[1]}()\` in ${subject}?`
  const [, kind] =
    /\b(option|setting|flag|propert|event|hook|rule|command|parameter)/i.exec(heading) ?? []
  if (kind === undefined) return `What is \`${name}\` in ${subject}?`
  const noun = kind.toLowerCase() === 'propert' ? 'property' : kind.toLowerCase()
  return `What is the ${noun} \`${name}\` of ${subject} for?`
}

/** Whether an answer says more than its question: two telling words at least that the question does not hold. */
function tells(question: string, answer: string): boolean {
  const asks = new Set(stemsOf(question))
  return new Set(stemsOf(answer).filter((stem) => !asks.has(stem))).size >= 2
}

function stemsOf(text: string): string[] {
  return (text.match(/[\p{L}\p{N}][\p{L}\p{N}'’-]+/gu) ?? [])
    .filter((word) => !FRAME.has(word.toLowerCase()))
    .map(stemOf)
}

/** With the subject, unless what is named is the subject itself or a name of its own, such as that of a package. */
function inSubject(name: string, subject: string): string {
  const bare = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '')
  const own = bare(subject.split('/').at(-1)!)
  return name.includes('@') || bare(name).includes(own) || own.includes(bare(name))
    ? name
    : `${name} in ${subject}`
}

function withSubject(goal: string, subject: string): string {
  return goal.toLowerCase().includes(subject.toLowerCase()) ? goal : `${goal} with ${subject}`
}

/** The goal of a sentence, `call the method` of `To call the method, do this.`, for other tasks than questions. */
export function goalOf(sentence: string): string | null {
  const [, goal] = RULES[0].pattern.exec(sentence) ?? RULES[1].pattern.exec(sentence) ?? []
  return goal ?? null
}

function asked(sentence: string, subject: string): string | null {
  if (!isWholeSentence(sentence) || LEANS.test(sentence) || sentence.endsWith('?')) return null
  for (const { pattern, ask } of RULES) {
    const parts = pattern.exec(sentence)
    const question = parts === null ? null : ask(parts, subject)
    if (question !== null) return question
  }
  return null
}

function named(noun: string, ask: (name: string) => string): string | null {
  /** Of `Name This is the table's name` the capital does not make one name. */
  return noun.split(' ').some((word) => NO_NAME.test(word)) ? null : ask(noun)
}

function isDescription(text: string): boolean {
  const words = text.split(' ').length
  return words >= 4 && words <= 60 && !/https?:\/\//.test(text) && /^[\p{L}`]/u.test(text)
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
