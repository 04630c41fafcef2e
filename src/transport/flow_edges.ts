import { E_AWAITED_UNKNOWN, E_FLOW_CIRCLE } from '../errors.ts'
import type { JobPlace, Keys } from './keys.ts'

/** What becomes of a waiting job when an awaited one fails or is cancelled. */
export type OnFailure = 'cancel' | 'run' | 'skip'

/** How an awaited job ended, as the scripts name it: completed, failed, cancelled, skipped. */
export type AwaitedOutcome = 'c' | 'f' | 'x' | 's'

/** A job waits for the job at this place. */
export type FlowEdge = JobPlace & { onFailure: OnFailure }

/**
 * How jobs ended that Redis has forgotten, by their keys; those that nobody knows, or that have not ended, are absent.
 */
export type AwaitedLookup = (places: JobPlace[]) => Promise<Map<JobPlace, AwaitedOutcome>>

/** Longest list of edges that stands in a job's options. A longer one is written in pieces of this length. */
export const EDGES_AT_ONCE = 200

const POLICIES: Record<string, OnFailure> = { c: 'cancel', r: 'run', s: 'skip' }

/** An edge as options and stream entries hold it: policy letter, queue, id. */
export function writeEdge({ onFailure, queue, id }: FlowEdge): string {
  return `${onFailure[0]}${queue}:${id}`
}

/**
 * Edges that anyone may have written; what has the wrong shape is left out.
 */
export function readEdges(value: unknown): FlowEdge[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((text): FlowEdge[] => {
    if (typeof text !== 'string') return []
    const colon = text.indexOf(':')
    const onFailure = POLICIES[text[0]]
    if (onFailure === undefined || colon < 2 || colon === text.length - 1) return []
    return [{ onFailure, queue: text.slice(1, colon), id: text.slice(colon + 1) }]
  })
}

/**
 * Arguments of the scripts for edges whose outcomes the caller knows, or leaves to Redis.
 *
 * @param ignoreEnded  Jobs that have ended by then are not waited for, however they ended.
 */
export function edgeArguments(
  keys: Keys,
  edges: FlowEdge[],
  known?: Map<string, AwaitedOutcome>,
  ignoreEnded = false
): string[] {
  return edges.map(({ onFailure, queue, id }) => {
    const key = keys.job(queue, id)
    const policy = ignoreEnded ? onFailure[0].toUpperCase() : onFailure[0]
    return `${policy}${known?.get(key) ?? '-'}${key}`
  })
}

/** The keys of awaited jobs that Redis does not know; null when a script's answer says something else. */
export function unknownIn(answer: unknown): string[] | null {
  return Array.isArray(answer) && answer[0] === '' ? (answer.slice(1) as string[]) : null
}

export function unknownAwaited(keys: Keys, [first]: string[]) {
  return new E_AWAITED_UNKNOWN([keys.placeOf(first).id])
}

export function closesCircle(id: string) {
  return new E_FLOW_CIRCLE([id])
}

/** What the options say of edges: of a list that is too long for them how long it is. */
export function storedEdges(edges: FlowEdge[]): string[] | number {
  return edges.length > EDGES_AT_ONCE ? edges.length : edges.map(writeEdge)
}
