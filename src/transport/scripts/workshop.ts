import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { RuntimeException } from '@adonisjs/core/exceptions'
import { checksum, installedTexts, installedVersion, type BullText } from './bullmq_texts.ts'
import { ONE_CLOCK } from './clock_edits.ts'
import { RICH_ENTRIES, type Edit, type EditSet } from './edits.ts'
import { FLOWS } from './flow_edits.ts'
import { CLAIM_GATE } from './gate_edits.ts'
import { OWN_SCRIPTS } from './own_scripts.ts'
import { PINNED_CHECKSUMS, PINNED_VERSION } from './pins.ts'

/**
 * A script in both of the forms in which it can reach Redis.
 *
 * - `evalText` stands alone, for EVALSHA.
 * - `functionText` is one block of the library: what does not look at KEYS and ARGV is built once, when the library loads.
 */
export type Script = {
  name: string
  keys: number
  evalText: string
  /** SHA-1 of `evalText`, by which EVALSHA knows it. */
  sha: string
  functionText: string
  /** Also runs while Redis is full: it ends, renews or removes something, or answers a question. */
  whenFull: boolean
}

/** Everything one release sends to Redis. Names carry a checksum, so that two releases live side by side. */
export type Library = {
  name: string
  /** Name of a script's function in Redis. */
  functionName(script: string): string
  scripts: Map<string, Script>
  /** The library's text, for FUNCTION LOAD. */
  text: string
}

/** Scripts that make Redis hold more: refused while it is full, before anything is written. */
const GROWING = new Set([
  'addStandardJob',
  'addDelayedJob',
  'addPrioritizedJob',
  'addParentJob',
  'addJobScheduler',
  'updateJobScheduler',
  'restart',
  'flow_edges',
])

/**
 * BullMQ's scripts that have a second name of ours, under which fewer keys are given: how many, and the Lua that answers all.
 */
const SHORT_FORMS = {
  finish: { of: 'moveToFinished', keys: 1, all: 'qd.finishKeys(KEYS[1], ARGV[7], ARGV[5])' },
}

/**
 * Length at which the stream of a queue that nobody mirrors is cut. The mirror trims behind its own position, so this is
 * reached only when records were away for millions of changes; what is cut then is history rows: statuses are repaired.
 */
export const STREAM_CAP = 5_000_000

const read = (name: string) => readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8')

/** The claim gate's Lua: each part uses those before it. */
const GATE_PARTS = ['gate_counts', 'gate_parking', 'gate', 'gate_sweep', 'places']

/** The edit sets of this release, in the order in which they are applied. */
export function editSets(): EditSet[] {
  return [
    { ...RICH_ENTRIES, prelude: read('entries') },
    { ...CLAIM_GATE, prelude: GATE_PARTS.map(read).join('\n') },
    { ...FLOWS, prelude: read('flows') },
    { ...ONE_CLOCK, prelude: read('clock') },
  ]
}

/**
 * Throws when the installed bullmq is not the one that these edits were reviewed against, naming script and reason.
 */
export function verifyTexts(texts: Map<string, BullText>, sets: EditSet[]): void {
  for (const name of new Set(sets.flatMap((set) => Object.keys(set.scripts)))) {
    const script = texts.get(name)
    if (!script) throw unusable(name, 'it is missing')
    if (checksum(script) !== PINNED_CHECKSUMS[name]) {
      throw unusable(name, `its text is not that of bullmq ${PINNED_VERSION}`)
    }
  }
}

/**
 * Applies the sets to one script. Throws when an anchor does not occur as often as stated.
 */
export function edit(script: BullText, sets: EditSet[]): string {
  let text = script.text
  for (const set of sets) {
    for (const { find, put, times = 1 } of set.scripts[script.name] ?? ([] as Edit[])) {
      const parts = text.split(find)
      if (parts.length - 1 !== times) {
        const anchor = find.trim().split('\n')[0]
        throw unusable(
          script.name,
          `"${anchor}" (${set.name}) occurs ${parts.length - 1} times instead of ${times}`
        )
      }
      text = parts.join(put)
    }
  }
  return text
}

/**
 * Builds the library from the installed bullmq and our own scripts.
 *
 * @param options.cap - length at which an unread event stream is cut
 * @throws E_SCRIPTS_CHANGED when bullmq's scripts are not those that were reviewed
 */
export function buildLibrary(
  options: { cap?: number; texts?: Map<string, BullText> } = {}
): Library {
  const { cap = STREAM_CAP, texts } = options
  if (texts) return build(cap, texts)
  const known = built.get(cap) ?? build(cap, installedTexts())
  built.set(cap, known)
  return known
}

/** Of the installed bullmq, by length at which streams are cut: one process may have several transports. */
const built = new Map<number, Library>()

function build(cap: number, texts: Map<string, BullText>): Library {
  const sets = editSets()
  verifyTexts(texts, sets)
  const touched = new Set(sets.flatMap((set) => Object.keys(set.scripts)))
  const prelude = [...sets.map((set) => set.prelude), read('finish_keys')]
    .join('\n')
    .replaceAll('CAP', String(cap))
  const scripts = new Map<string, Script>()
  const edited = (name: string) =>
    edit(texts.get(name)!, sets).replaceAll('return CAP', `return ${cap}`)
  for (const name of touched) {
    const { keys } = texts.get(name)!
    scripts.set(name, forms(name, keys, edited(name), prelude, name in CLAIM_GATE.scripts))
  }
  for (const [name, { of, keys, all }] of Object.entries(SHORT_FORMS)) {
    const text = `local KEYS = ${all}\n${edited(of)}`
    scripts.set(name, forms(name, keys, text, prelude, of in CLAIM_GATE.scripts))
  }
  for (const [name, keys] of Object.entries(OWN_SCRIPTS)) {
    scripts.set(name, forms(name, keys, read(name), prelude))
  }
  return assemble(scripts, prelude)
}

function assemble(scripts: Map<string, Script>, prelude: string): Library {
  const blocks = [...scripts.values()].map((script) => script.functionText).join('\n')
  const sum = createHash('sha256').update(prelude).update(blocks).digest('hex').slice(0, 10)
  const functionName = (script: string) => `qd_${sum}_${script}`
  const name = `queuedeck_${sum}`
  const text = `#!lua name=${name}\nlocal rcall\n${prelude}\n${blocks.replaceAll('QD_FUNCTION_', functionName(''))}`
  return { name, functionName, scripts, text }
}

/**
 * Both forms of one script. Functions of the script that stand at its top level go in front of the registered function
 * (they see only their arguments and `rcall`), and with them whatever comes before the first look at KEYS or ARGV. What passes
 * the claim gate ends with a word to it, wherever the script returns.
 */
function forms(name: string, keys: number, text: string, prelude: string, isGated = false): Script {
  const whenFull = !GROWING.has(name)
  const bare = text.replace(/^local rcall = redis\.call;?$/gm, '')
  // Before Redis 7 a script may not begin with a growing write while Redis is full, but may go on after any other write.
  const opening = whenFull ? `redis.call('DEL', KEYS[1] .. '~')\n` : ''
  const whole = isGated ? `return gate.done((function()\n${bare}\nend)())` : bare
  const { head, body } = hoist(bare)
  const flags = whenFull ? `, flags={'allow-oom'}` : ''
  const call = isGated ? 'return gate.done(script(KEYS, ARGV))' : 'return script(KEYS, ARGV)'
  const functionText = `do\n${head}\nlocal function script(KEYS, ARGV)\n${body}\nend\nredis.register_function{function_name='QD_FUNCTION_${name}', callback=function(KEYS, ARGV)\nrcall = redis.call gate.reset()\n${call}\nend${flags}}\nend`
  let sha: string | undefined
  return {
    ...{ name, keys, functionText, whenFull },
    // Only where Redis has no functions: each repeats what all scripts share.
    get evalText() {
      return `local rcall = redis.call\n${opening}${prelude}\n${whole}`
    },
    get sha() {
      return (sha ??= createHash('sha1').update(this.evalText).digest('hex'))
    },
  }
}

/**
 * Splits a script into what can be built once and what each call does. A function at the top level is built once unless it
 * uses a variable that the call sets, or a function that does.
 */
function hoist(text: string): { head: string; body: string } {
  const chunks = topLevel(withoutComments(text))
  const perCall = new Set<string>()
  for (const chunk of chunks) {
    if (chunk.defines) {
      const own = new Set(chunk.text.match(/\w+/g))
      for (const name of parametersAndLocals(chunk.text)) own.delete(name)
      chunk.once = ![...perCall].some((name) => own.has(name))
      if (!chunk.once) perCall.add(chunk.defines)
    } else if (!chunk.once) {
      for (const match of chunk.text.matchAll(/^local ([\w, ]+?)\s*(=|$)/gm)) {
        for (const name of match[1].split(',')) perCall.add(name.trim())
      }
    }
  }
  const join = (once: boolean) =>
    chunks
      .filter((chunk) => chunk.once === once)
      .map((chunk) => chunk.text)
      .join('\n')
  return { head: join(true), body: join(false) }
}

type Chunk = { text: string; defines: string | null; once: boolean }

/** The script's top-level functions, and the lines between them. */
function topLevel(text: string): Chunk[] {
  const chunks: Chunk[] = []
  let current: Chunk | null = null
  for (const line of text.split('\n')) {
    const start = /^(?:local function (\w+)\s*\(|(?:local )?(\w+) = function\s*\()/.exec(line)
    if (current?.defines) {
      current.text += `\n${line}`
      if (/^end\b/.test(line)) current = null
    } else if (start) {
      current = { text: line, defines: start[1] ?? start[2], once: true }
      chunks.push(current)
    } else if (
      /^local \w+\s*$/.test(line) &&
      text.includes(`\n${line.slice(6).trim()} = function`)
    ) {
      chunks.push({ text: line, defines: null, once: true })
      current = null
    } else if (current) {
      current.text += `\n${line}`
    } else {
      current = { text: line, defines: null, once: false }
      chunks.push(current)
    }
  }
  return chunks
}

function parametersAndLocals(text: string): string[] {
  const names = [
    /function\s*\w*\s*\(([^)]*)\)/g,
    /\blocal ([\w, ]+?)\s*(?:=|$)/gm,
    /\bfor ([\w, ]+?)\s*(?:=|\bin\b)/g,
  ]
  return names.flatMap((pattern) =>
    [...text.matchAll(pattern)].flatMap((match) => match[1].split(',').map((name) => name.trim()))
  )
}

function withoutComments(text: string): string {
  return text.replace(/--\[\[[\s\S]*?\]\]/g, '').replace(/--[^\n]*/g, '')
}

function unusable(script: string, reason: string) {
  return new RuntimeException(
    `Queuedeck cannot work with bullmq ${installedVersion()}: in its script ${script}, ${reason}. ` +
      `Install bullmq ${PINNED_VERSION}, or review the change with "npm run scripts:review"`,
    { code: 'E_SCRIPTS_CHANGED' }
  )
}
