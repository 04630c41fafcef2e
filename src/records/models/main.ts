/**
 * Records as models of Lucid, for reading: `adonis-queuedeck/models`.
 */
export { AttemptRecord } from './attempt_record.ts'
export { BodyRecord } from './body_record.ts'
export { JobRecord } from './job_record.ts'
export { NameRecord } from './name_record.ts'
export { statusCode } from '../../statuses.ts'
