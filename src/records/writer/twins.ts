import { foreignId } from '../ids.ts'
import { storable, storedName } from '../storable.ts'
import type { JobKey } from '../writer_types.ts'

/*
 * A job's id is unique within its queue only: whoever chooses ids may give the same UUID to jobs of two queues. The record of
 * that id belongs to the one that came first; the other, its twin, has a record as foreign jobs have, with an id made of both. So has
 * one whose id was chosen to be that of a foreign job's record.
 */

/** Whose a stored record is: its queue, as names are stored, and its id in Redis, null where that is the record's. */
export type Owner = { queue: string; transportId: string | null }

/**
 * Places of the keys whose id belongs to another job: a stored one, or one earlier in the list.
 *
 * @param ownerOf  Of the stored record at a place; nothing when there is none.
 */
export function twinsAmong(
  keys: readonly JobKey[],
  ownerOf: (index: number) => Owner | null | undefined
): number[] {
  const twins: number[] = []
  const names = new Map<string, string>()
  const taken = new Set<string>()
  for (const [index, { id, queue, transportId }] of keys.entries()) {
    const owner = ownerOf(index)
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
    const isSame =
      owner.transportId === null ? transportId === id : owner.transportId === storable(transportId)
    if (owner.queue !== name || !isSame) twins.push(index)
  }
  return twins
}

/**
 * The key of a twin.
 */
export function twinOf(key: JobKey): JobKey {
  const { queue, transportId, id } = key
  const own = foreignId(queue, transportId)
  return { ...key, id: own === id ? foreignId(queue, own) : own }
}
