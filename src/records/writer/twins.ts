import { foreignId } from '../ids.ts'
import { storedName } from '../storable.ts'
import type { JobKey } from '../writer_types.ts'

/*
 * A job's id is unique within its queue only: whoever chooses ids may give the same UUID to jobs of two queues. The record of
 * that id belongs to the one that came first; the other, its twin, has a record as foreign jobs have, with an id made of both.
 */

/**
 * Places of the keys whose id belongs to a job of another queue: a stored one, or one earlier in the list.
 *
 * @param storedQueue  The queue of the stored record at a place, as names are stored; nothing when there is none.
 */
export function twinsAmong(
  keys: readonly JobKey[],
  storedQueue: (index: number) => string | null | undefined
): number[] {
  const twins: number[] = []
  const names = new Map<string, string>()
  const taken = new Set<string>()
  for (const [index, { id, queue }] of keys.entries()) {
    const owner = storedQueue(index)
    if (owner === null || owner === undefined) {
      if (taken.has(id)) twins.push(index)
      taken.add(id)
      continue
    }
    let name = names.get(queue)
    if (name === undefined) {
      name = storedName(queue)
      names.set(queue, name)
    }
    if (owner !== name) twins.push(index)
  }
  return twins
}

/**
 * The key of a twin.
 */
export function twinOf(key: JobKey): JobKey {
  return { ...key, id: foreignId(key.queue, key.transportId) }
}
