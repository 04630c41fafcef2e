import { shortened } from '#services/shortened'
import type { ChunkOptions } from './chunk_options.ts'
import { linearPattern } from './linear_pattern.ts'

/** What is wrong with an option, with its value and what to do. */
export type OptionProblem = { field: string; message: string }

const LARGEST_SIZE = 1_000_000
const MOST_RULES = 50
const LONGEST_DELIMITER = 1_000

/** Options of each strategy beside `strategy`, `size` and `overlap`. */
const OPTIONS: Record<ChunkOptions['strategy'], string[]> = {
  token: [],
  character: [],
  semantic: ['unit', 'window', 'sensitivity'],
  schema: ['unit', 'rules', 'combine'],
  delimiter: ['unit', 'delimiter'],
}

/** All names that an option of chunks may have. */
export const CHUNK_OPTIONS = ['size', 'overlap', ...new Set(Object.values(OPTIONS).flat())]

/**
 * What is wrong with options for chunks; none where they are `ChunkOptions`.
 */
export function chunkProblems(options: Record<string, unknown>): OptionProblem[] {
  const problems: OptionProblem[] = []
  const report = (field: string, message: string) => void problems.push({ field, message })
  const { strategy, size, overlap } = options
  if (typeof strategy !== 'string' || !Object.hasOwn(OPTIONS, strategy)) {
    report(
      'strategy',
      `The strategy ${shown(strategy)} is not known: ${oneOf(Object.keys(OPTIONS))}`
    )
    return problems
  }
  const known = ['strategy', 'size', 'overlap', ...OPTIONS[strategy as ChunkOptions['strategy']]]
  for (const name of Object.keys(options)) {
    if (options[name] === undefined || known.includes(name)) continue
    report(
      name,
      `The strategy "${strategy}" has no option "${name}": leave it out, or ${oneOf(known)}`
    )
  }
  if (!isWhole(size, 1, LARGEST_SIZE)) {
    report('size', `The size ${shown(size)} must be a whole number from 1 to ${LARGEST_SIZE}`)
  }
  if (!isWhole(overlap, 0, Infinity)) {
    report(
      'overlap',
      `The overlap ${shown(overlap)} must be a whole number from 0 to below the size`
    )
  } else if (typeof size === 'number' && overlap >= size) {
    report('overlap', `The overlap ${overlap} must be below the size ${size}`)
  }
  return [...problems, ...CHECKS[strategy as ChunkOptions['strategy']](options)]
}

const CHECKS: Record<
  ChunkOptions['strategy'],
  (options: Record<string, unknown>) => OptionProblem[]
> = {
  token: () => [],
  character: () => [],
  semantic: ({ unit, window, sensitivity }) => [
    ...unitProblems(unit),
    ...(window === undefined || isWhole(window, 1, 50)
      ? []
      : problem(
          'window',
          `The window ${shown(window)} must be a whole number of sentences from 1 to 50`
        )),
    ...(sensitivity === undefined || isBetween(sensitivity, 0, 1)
      ? []
      : problem(
          'sensitivity',
          `The sensitivity ${shown(sensitivity)} must be a number from 0 to 1`
        )),
  ],
  schema: ({ unit, rules, combine }) => [
    ...unitProblems(unit),
    ...(combine === undefined || combine === 'any' || combine === 'all'
      ? []
      : problem(
          'combine',
          `The way to combine rules ${shown(combine)} is not known: ${oneOf(['any', 'all'])}`
        )),
    ...rulesProblems(rules),
  ],
  delimiter: ({ unit, delimiter }) => [
    ...unitProblems(unit),
    ...delimiterProblems('delimiter', delimiter),
  ],
}

function rulesProblems(rules: unknown): OptionProblem[] {
  if (!Array.isArray(rules) || rules.length === 0 || rules.length > MOST_RULES) {
    const given = rules === undefined ? 'left out' : shown(rules)
    const what = Array.isArray(rules) ? `${rules.length} rules` : given
    return problem(
      'rules',
      `The rules must be a list of 1 to ${MOST_RULES}, such as [{ "heading": 2 }], not ${what}`
    )
  }
  return rules.flatMap((rule: unknown, index) => ruleProblems(`rules.${index}`, rule))
}

function ruleProblems(field: string, rule: unknown): OptionProblem[] {
  const names = typeof rule === 'object' && rule !== null ? Object.keys(rule) : []
  const [name] = names
  if (names.length !== 1 || !['pattern', 'delimiter', 'heading'].includes(name)) {
    return problem(
      field,
      `The rule ${shown(rule)} must have one of these and nothing else: "pattern", "delimiter", "heading"`
    )
  }
  const value = (rule as Record<string, unknown>)[name]
  if (name === 'delimiter') return delimiterProblems(`${field}.delimiter`, value)
  if (name === 'heading') {
    return isWhole(value, 1, 6)
      ? []
      : problem(`${field}.heading`, `The heading ${shown(value)} must be a level from 1 to 6`)
  }
  if (typeof value !== 'string') {
    return problem(
      `${field}.pattern`,
      `The pattern ${shown(value)} must be a text: an RE2 expression`
    )
  }
  try {
    linearPattern(value)
    return []
  } catch (error) {
    return problem(`${field}.pattern`, (error as Error).message)
  }
}

function delimiterProblems(field: string, value: unknown): OptionProblem[] {
  return typeof value === 'string' && value.length >= 1 && value.length <= LONGEST_DELIMITER
    ? []
    : problem(
        field,
        `The delimiter ${shown(value)} must be a text of 1 to ${LONGEST_DELIMITER} characters`
      )
}

function unitProblems(unit: unknown): OptionProblem[] {
  return unit === undefined || unit === 'token' || unit === 'character'
    ? []
    : problem('unit', `The unit ${shown(unit)} is not known: ${oneOf(['character', 'token'])}`)
}

function problem(field: string, message: string): OptionProblem[] {
  return [{ field, message }]
}

function isBetween(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isSafeInteger(value) && isBetween(value, least, most)
}

function oneOf(names: string[]): string {
  return `choose one of ${names.join(', ')}`
}

/** A value as people wrote it, short; code may give anything. */
function shown(value: unknown): string {
  if (value === undefined) return 'is missing and'
  return shortened(written(value))
}

function written(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' || typeof value === 'symbol') return String(value)
  try {
    return JSON.stringify(value) ?? `a ${typeof value}`
  } catch {
    return 'an object that is no JSON'
  }
}
