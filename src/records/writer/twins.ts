import { foreignId } from '../ids.ts'
import { storable, storedName } from '../storable.ts'
import type { JobKey } from '../writer_types.ts'

/*
 * A job's id is unique within its queue only: whoever chooses ids may give the same UUID to jobs of two queues. The record of
 * that id belongs to the one that came first; the other, its twin, has a record as foreign jobs have, with an id made of both. So has
 * one whose id was chosen to be that of a foreign job's record.
 */

/**
 * Places of the keys whose id belongs to another job: a stored one, or one earlier in the list.
 *
 * @param records  The stored record of each key; nothing where there is none.
 * @param queueOf  Its queue, as names are stored.
 * @param transportIdOf  Its id in Redis, null where that is the record's.
 */
export function twinsAmong<R>(
  keys: readonly JobKey[],
  records: readonly (R | null | undefined)[],
  queueOf: (record: R) => string,
  transportIdOf: (record: R) => string | null
): number[] {
  const twins: number[] = []
  const names = new Map<string, string>()
  const taken = new Set<string>()
  let index = -1
  for (const { id, queue, transportId } of keys) {
    index++
    const record = records[index]
    if (record === null || record === undefined) {
      if (taken.has(id)) twins.push(index)
      taken.add(id)
      continue
    }
    let name = names.get(queue)
    if (name === undefined) {
      name = storedName(queue)
      names.set(queue, name)
    }
    const own = transportIdOf(record)
    const isSame = own === null ? transportId === id : own === storable(transportId)
    if (!isSame || queueOf(record) !== name) twins.push(index)
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
