import type { EntryFields } from './entries.ts'
import { cutText } from '../cut_text.ts'
import { EDGES_AT_ONCE, readEdges, type FlowEdge } from '../transport/flow_edges.ts'
import type { Progress } from '../types.ts'

export { readCancellation, readError } from '../jobs/failed_reason.ts'

/**
 * What a record takes from a job's options, as BullMQ stores them (JSON with our own under `qd`).
 */
export type OptionFacts = {
  maxAttempts: number
  priority: number
  user: string | null
  tags: string[]
  sensitive: boolean
  /** When the producer made the job, by its clock; null where options do not say. */
  timestamp: number | null
  /** What it waits for; a list that is too long for options has entries of its own. */
  waitFor: FlowEdge[]
}

const NO_OPTIONS: OptionFacts = {
  maxAttempts: 1,
  priority: 0,
  user: null,
  tags: [],
  sensitive: false,
  timestamp: null,
  waitFor: [],
}

/**
 * Reads options that anyone may have written: what has the wrong shape counts as not said.
 */
export function readOptions(text: string | null | undefined): OptionFacts {
  if (!text || text === '{}') return NO_OPTIONS
  const options = parseObject(text)
  const own = isObject(options.qd) ? options.qd : {}
  return {
    maxAttempts: readAttempts(options.attempts) ?? 1,
    priority: wholeNumber(Number(options.priority)) ?? 0,
    user: name(own.user),
    tags: Array.isArray(own.tags) ? own.tags.flatMap((tag) => name(tag) ?? []).slice(0, 100) : [],
    sensitive: own.sensitive === true,
    timestamp: wholeNumber(options.timestamp),
    waitFor: own.waitFor === undefined ? [] : readEdges(own.waitFor).slice(0, EDGES_AT_ONCE),
  }
}

/**
 * How often a job is tried, as any producer wrote it; null where that says nothing. Workers compare: to them text that is a number is one,
 * and between two the greater counts.
 */
export function readAttempts(attempts: unknown): number | null {
  return wholeNumber(Math.ceil(Number(attempts))) || null
}

/**
 * Reads a progress report. Plain BullMQ jobs may report a bare number or any object; without a percentage there is 0.
 */
export function readProgress(text: string | null | undefined): Progress | undefined {
  if (!text) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value === 'number') return { percent: percentage(value) }
  if (!isObject(value)) return undefined
  const progress: Progress = { percent: percentage(value.percent ?? value.progress ?? 0) }
  if (typeof value.stage === 'string') progress.stage = value.stage
  if (wholeNumber(value.done) !== null) progress.done = value.done as number
  if (wholeNumber(value.total) !== null) progress.total = value.total as number
  if (typeof value.unit === 'string') progress.unit = value.unit
  return progress
}

/**
 * The stacks that BullMQ keeps in a job's hash, one for each failed attempt, oldest first.
 */
export function readStacks(text: string | null | undefined): string[] {
  if (!text || text === '[]') return []
  try {
    const stacks = JSON.parse(text)
    return Array.isArray(stacks) ? stacks.map(String) : []
  } catch {
    return [text]
  }
}

/**
 * The message that a stack begins with; used where BullMQ kept the stack of an attempt but not its message.
 */
export function messageOf(stack: string | undefined): string | null {
  return (
    (stack && (/^\w*(?:Error|Exception): (.*)/.exec(stack)?.[1] ?? stack.split('\n', 1)[0])) || null
  )
}

/**
 * Lines of a `log` entry: JSON `[[moment, level, text], ...]`.
 */
export function readLines(text: string | undefined): [number, number, string][] {
  let lines: unknown
  try {
    lines = JSON.parse(text ?? '[]')
  } catch {
    return []
  }
  if (!Array.isArray(lines)) return []
  return lines.flatMap((line): [number, number, string][] =>
    Array.isArray(line) && Number.isFinite(line[0]) && Number.isFinite(line[1])
      ? [[line[0], line[1], String(line[2] ?? '')]]
      : []
  )
}

/**
 * A number of a stream field or hash field: undefined unless it is a whole number of 0 or more.
 */
export function count(text: string | null | undefined): number | undefined {
  if (!text) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** Beyond what any job reaches, and within what every column takes. */
const MOST_ORDINAL = 1_000_000_000

/**
 * The number of a run or an attempt: undefined unless it is one that a job may have.
 */
export function ordinal(text: string | null | undefined): number | undefined {
  const value = count(text)
  return value !== undefined && value <= MOST_ORDINAL ? value : undefined
}

function percentage(value: unknown): number {
  const number = Number(value)
  return number >= 0 ? Math.min(number, 100) : 0
}

function wholeNumber(value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null
}

function name(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What BullMQ writes for a job that returned nothing. */
export const NOTHING = 'null'

/** Whether an entry that ends a job says that it was told to stop. What its code threw says nothing of that. */
export function isCancelled({ cancelled }: EntryFields): boolean {
  return cancelled === '1'
}

/** A piece of a long list of jobs that a job waits for. */
export function readPiece(text: string | undefined): FlowEdge[] {
  try {
    return readEdges(JSON.parse(text ?? '[]')).slice(0, EDGES_AT_ONCE)
  } catch {
    return []
  }
}

/** Who asked for what an entry tells, and why; null where it says neither. */
export function by({ by: who, reason }: EntryFields): { by?: string; reason?: string } | null {
  if (!who && !reason) return null
  return { ...(who ? { by: who } : null), ...(reason ? { reason } : null) }
}

/** A message as the timeline shows it. */
export function shorten(message: string): string {
  return cutText(message, 500)
}
