import { foreignId } from '../ids.ts'
import { storable, storedName } from '../storable.ts'
import type { JobKey } from '../writer_types.ts'

/*
 * A job's id is unique within its queue only: whoever chooses ids may give the same UUID to jobs of two queues. The record of
 * that id belongs to the one that came first; the other, its twin, has a record as foreign jobs have, with an id made of both. So has
 * one whose id was chosen to be that of a foreign job's record, and one whose id is that of a twin's, and so on.
 */

/**
 * Finds the record of each job: that of its key's id, or where that is another's, of the next id.
 *
 * @param look  The stored records of some keys, in their order; null where there is none.
 * @param queueOf  A record's queue, as names are stored.
 * @param transportIdOf  Its job's id in Redis, null where that is the record's.
 * @returns the keys with the ids that their records have or are to have
 */
export async function recordsOf<R>(
  wanted: readonly JobKey[],
  look: (keys: readonly JobKey[]) => Promise<(R | null)[]>,
  queueOf: (record: R) => string,
  transportIdOf: (record: R) => string | null
): Promise<{ keys: JobKey[]; records: (R | null)[] }> {
  const keys = [...wanted]
  const records = await look(keys)
  for (;;) {
    const twins = twinsAmong(keys, records, queueOf, transportIdOf)
    if (twins.length === 0) return { keys, records }
    for (const index of twins) keys[index] = twinOf(keys[index])
    const own = await look(twins.map((index) => keys[index]))
    for (const [place, index] of twins.entries()) records[index] = own[place]
  }
}

/** Places of the keys whose id belongs to another job: a stored one, or one earlier in the list. */
function twinsAmong<R>(
  keys: readonly JobKey[],
  records: readonly (R | null)[],
  queueOf: (record: R) => string,
  transportIdOf: (record: R) => string | null
): number[] {
  const twins: number[] = []
  const names = new Map<string, string>()
  const taken = new Set<string>()
  const give = (index: number) => {
    twins.push(index)
    /** What it gets is no longer there for those behind it. */
    taken.add(twinOf(keys[index]).id)
  }
  let index = -1
  for (const { id, queue, transportId } of keys) {
    index++
    const record = records[index]
    if (record === null) {
      if (taken.has(id)) give(index)
      else taken.add(id)
      continue
    }
    let name = names.get(queue)
    if (name === undefined) {
      name = storedName(queue)
      names.set(queue, name)
    }
    const own = transportIdOf(record)
    const isSame = own === null ? transportId === id : own === storable(transportId)
    if (!isSame || queueOf(record) !== name) give(index)
  }
  return twins
}

/** The key with its next id. */
function twinOf(key: JobKey): JobKey {
  return { ...key, id: foreignId(key.queue, key.id) }
}
