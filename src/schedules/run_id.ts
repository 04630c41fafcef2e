import { createHash } from 'node:crypto'
import { bytesToUuid, uuidToBytes } from '../records/ids.ts'

/**
 * The id of the job that a schedule has at a moment: a UUID of version 5 (RFC 9562), so that any number of processes make it once.
 *
 * @param id the schedule's UUID: the namespace
 * @param generation a schedule that was changed, or paused and resumed, makes other jobs than before
 * @param due epoch ms
 */
export function runId(id: string, generation: number, due: number): string {
  const bytes = createHash('sha1')
    .update(uuidToBytes(id))
    .update(`${due}:${generation}`)
    .digest()
    .subarray(0, 16)
  bytes[6] = (bytes[6] & 0x0f) | 0x50
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  return bytesToUuid(bytes)
}
