import { createHash } from 'node:crypto'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Namespace of record ids for jobs whose transport id is no UUID. Must never change: record ids follow from it. */
const FOREIGN = uuidToBytes('5b0f7c1e-6f0b-5b8e-9a53-0d1c6c1f7d42')

/**
 * Whether a text is a UUID in lower case, as job ids are written.
 */
export function isUuid(value: string): boolean {
  return value.length === 36 && UUID.test(value)
}

/**
 * The 16 bytes of a UUID.
 */
export function uuidToBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}

/**
 * The text of 16 bytes.
 */
export function bytesToUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/**
 * UUID of version 5 (RFC 9562): the same name in the same namespace always gives the same.
 */
export function uuidV5(namespace: Uint8Array, name: string): string {
  const bytes = createHash('sha1').update(namespace).update(name).digest().subarray(0, 16)
  bytes[6] = (bytes[6] & 0x0f) | 0x50
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  return bytesToUuid(bytes)
}

/**
 * The record's id of a foreign job: the same queue and BullMQ id always give the same.
 */
export function foreignId(queue: string, transportId: string): string {
  return uuidV5(FOREIGN, `${queue}\0${transportId}`)
}

/**
 * The record's id of a job: its own id when that is a UUID, else the one derived for foreign jobs.
 */
export function recordId(queue: string, transportId: string): string {
  return isUuid(transportId) ? transportId : foreignId(queue, transportId)
}
