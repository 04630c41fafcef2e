import { createHash } from 'node:crypto'

/**
 * Id of the job that a run of another job sends: the same whenever the same run asks, so that it is sent once. It keeps the
 * moment of the first job in front, as UUIDs of version 7 have it, and makes the rest from a hash.
 */
export function followUpId(jobId: string, run: number): string {
  const hash = createHash('sha256').update(`${jobId}/${run}`).digest('hex')
  const variant = '89ab'[Number.parseInt(hash[3], 16) & 3]
  return `${jobId.slice(0, 13)}-7${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(8, 20)}`
}
