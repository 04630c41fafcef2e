import { E_CHECKPOINT_REFUSED } from '../errors.ts'
import { shown } from '../shown.ts'
import type { CheckpointAnswer, CheckpointLimits } from '../transport/checkpoints.ts'
import { NotSerialisableError, resultToJson } from './serialise.ts'

/** Longest name of a checkpoint, in characters of JavaScript. */
const LONGEST_NAME = 200

/** Largest value as JSON, in bytes. */
const LARGEST_VALUE = 262_144

/**
 * What one job may keep: enough to say where it was, and what it cannot do again. Redis holds all of it in memory.
 */
export const CHECKPOINT_LIMITS: CheckpointLimits = { count: 1_000, bytes: 1_048_576 }

/**
 * Writes what a job wants to keep as JSON, as its result would be.
 *
 * @throws E_CHECKPOINT_REFUSED naming the checkpoint, what is wrong with it, and what to do
 */
export function checkpointToJson(name: string, value: unknown): string {
  assertName(name)
  let json: string
  try {
    json = resultToJson(value)
  } catch (error) {
    const reason = error instanceof NotSerialisableError ? error.reason : shown(error, 1_000)
    throw new E_CHECKPOINT_REFUSED([name, `it cannot be written as JSON: ${reason}`])
  }
  assertSize(name, json)
  return json
}

/**
 * Checks what came from another process.
 *
 * @throws E_CHECKPOINT_REFUSED
 */
export function assertCheckpoint(name: unknown, json: unknown): void {
  assertName(name)
  if (typeof json !== 'string') {
    throw new E_CHECKPOINT_REFUSED([name, 'its value did not arrive as JSON'])
  }
  assertSize(name, json)
}

/**
 * Throws what Redis said against a checkpoint.
 *
 * @throws E_CHECKPOINT_REFUSED
 */
export function assertTaken(name: string, answer: CheckpointAnswer): void {
  if (answer.outcome === 'many') {
    const { count } = CHECKPOINT_LIMITS
    throw new E_CHECKPOINT_REFUSED([
      name,
      `the job has ${count} checkpoints, and no more are kept. Give a name again: its new value takes the place of the old one`,
    ])
  }
  if (answer.outcome === 'large') {
    const { bytes } = CHECKPOINT_LIMITS
    throw new E_CHECKPOINT_REFUSED([
      name,
      `with it the checkpoints of the job would have ${answer.value} bytes; at most ${bytes} are kept. ${REMEDY}`,
    ])
  }
}

const REMEDY = 'Store the data elsewhere and keep a reference to it'

function assertName(name: unknown): asserts name is string {
  if (typeof name !== 'string') {
    throw new E_CHECKPOINT_REFUSED([shown(name, 100), `its name must be text, not ${typeof name}`])
  }
  if (name.length === 0 || name.length > LONGEST_NAME || /\p{Cc}|\p{Cs}/u.test(name)) {
    throw new E_CHECKPOINT_REFUSED([
      name.length > LONGEST_NAME ? `${name.slice(0, 80)}…` : name,
      `its name must have 1 to ${LONGEST_NAME} characters, none of them a control character`,
    ])
  }
}

function assertSize(name: string, json: string): void {
  /** A character has at most three bytes in UTF-8 per UTF-16 unit. */
  if (json.length * 3 <= LARGEST_VALUE) return
  const size = Buffer.byteLength(json)
  if (size > LARGEST_VALUE) {
    throw new E_CHECKPOINT_REFUSED([
      name,
      `its value has ${size} bytes as JSON; at most ${LARGEST_VALUE} are kept. ${REMEDY}`,
    ])
  }
}

/**
 * The values of checkpoints, by name. What somebody else wrote into the job's hash, and is no JSON, is not one.
 */
export function checkpointValues(
  kept: ReadonlyMap<string, string> | undefined
): Record<string, unknown> {
  const values = Object.create(null) as Record<string, unknown>
  for (const [name, json] of kept ?? []) {
    try {
      values[name] = JSON.parse(json)
    } catch {
      continue
    }
  }
  return values
}
