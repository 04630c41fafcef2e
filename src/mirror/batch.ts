import type { Redis } from 'ioredis'
import { recordId } from '../records/ids.ts'
import type { CursorMove, FoldResult, JobKey, StoredJob } from '../records/writer_types.ts'
import { compareIds, concernsJob, idMilliseconds, needsHash, START, type Entry } from './entries.ts'
import { JobFold } from './fold.ts'
import { Folded } from './job_draft.ts'
import { count, messageOf, readStacks, NOTHING } from './job_facts.ts'
import type { Position } from './position.ts'

/**
 * Fields of a job's hash that complete entries which lack them.
 */
const HASH_FIELDS = [
  'data',
  'opts',
  'name',
  'timestamp',
  'returnvalue',
  'failedReason',
  'stacktrace',
  'pb',
  'run',
  'atm',
  'finishedOn',
] as const

/**
 * Jobs of one part: in a hurry so many are folded while the database writes those before. Else it is so few that neither this process nor
 * the database's keeps a processor for long: others, Redis first of all, wait to wake on it.
 */
const PART = { hurried: 500, unhurried: 100 }

type Hash = Record<(typeof HASH_FIELDS)[number], string | null>

type JobEntries = { key: JobKey; position: Position; entries: Entry[]; hash?: Hash }

/**
 * Entries of some streams, as one transaction writes them: sorted by job, with the moves of the cursors.
 */
export class StreamBatch {
  readonly positions: Position[] = []
  size = 0

  /** Ids of some of its entries, oldest first in each stream: to measure the lag by. */
  readonly ids: string[] = []

  /** The jobs that were folded so far. */
  readonly folded: StoredJob[] = []

  #jobs: JobEntries[] = []
  #parts = new Map<Position, { from: string; skew: number; lastId: string }>()

  /**
   * Takes what one stream gave, once for each stream; `entries` begins right after the position.
   */
  add(position: Position, entries: Entry[]): void {
    const { queue, notes, lastId: from } = position
    let { skew } = position
    if (from === START && notes.top !== undefined) {
      skew = Math.max(skew, notes.top + 1 - idMilliseconds(entries[0].id))
    }
    const jobs = new Map<string, JobEntries>()
    for (const entry of entries) {
      if (!concernsJob(entry.fields)) continue
      const transportId = entry.fields.jobId!
      const known = jobs.get(transportId)
      if (known) {
        known.entries.push(entry)
      } else {
        const key = { queue, transportId, id: recordId(queue, transportId) }
        jobs.set(transportId, { key, position, entries: [entry] })
      }
    }
    for (const job of jobs.values()) this.#jobs.push(job)
    const lastId = entries[entries.length - 1].id
    this.#parts.set(position, { from, skew, lastId })
    this.positions.push(position)
    this.size += entries.length
    for (let index = 0; index < entries.length; index += 8) this.ids.push(entries[index].id)
    this.ids.push(lastId)
  }

  /**
   * The moves of the cursors, made right before they are written, because notes may have changed since the batch was read.
   * Null when a cursor no longer stands where the batch begins.
   */
  moves(server: string | null): CursorMove[] | null {
    const moves: CursorMove[] = []
    for (const [position, { from, skew, lastId }] of this.#parts) {
      if (position.lastId !== from) return null
      const notes = { ...position.notes, top: undefined }
      if (notes.again && compareIds(lastId, notes.again.until) >= 0) notes.again = undefined
      moves.push(position.move({ lastId, skew, server, notes }))
    }
    return moves
  }

  get keys(): JobKey[] {
    return this.#jobs.map(({ key }) => key)
  }

  /**
   * Reads the hashes of jobs whose entries lack something: large values, and everything of plain BullMQ.
   */
  async complete(redis: Redis): Promise<number> {
    const lacking: JobEntries[] = []
    for (const job of this.#jobs) {
      for (const { fields } of job.entries) {
        if (!needsHash(fields)) continue
        lacking.push(job)
        break
      }
    }
    if (lacking.length === 0) return 0
    const pipeline = redis.pipeline()
    for (const { key, position } of lacking) {
      pipeline.hmget(position.key.slice(0, -'events'.length) + key.transportId, ...HASH_FIELDS)
    }
    const answers = await pipeline.exec()
    lacking.forEach((job, index) => {
      const [error, values] = answers![index]
      /** A key that is no hash is no job, whatever an entry says. */
      if (error?.message.startsWith('WRONGTYPE')) return
      if (error) throw error
      job.hash = Object.fromEntries(
        HASH_FIELDS.map((field, place) => [field, (values as (string | null)[])[place]])
      ) as Hash
    })
    return lacking.length
  }

  /**
   * Folds every job onto its record, some at a time; `stored` is in the order of `keys`.
   */
  *fold(stored: StoredJob[], isUnhurried: boolean): Generator<FoldResult> {
    const part = isUnhurried ? PART.unhurried : PART.hurried
    let out = new Folded()
    let index = 0
    for (const { position, entries, hash } of this.#jobs) {
      const fold = new JobFold(stored[index++])
      const before = fold.job.version
      fold.apply(entries, this.#parts.get(position)!.skew, position.readAgain)
      if (fold.job.version === before && before > 0n) continue
      /** Of a job whose record was deleted meanwhile. */
      if (fold.job.status === null && entries.every(({ fields }) => fields.event === 'run-again')) {
        continue
      }
      if (hash) completeFromHash(fold, hash)
      fold.finish(out)
      this.folded.push(fold.job)
      if (out.jobs.length < part) continue
      yield out
      out = new Folded()
    }
    yield out
  }
}

/**
 * Adds what the entries left out. The hash may be newer than the entries, so only what cannot have changed since, or what
 * the record's own status asks for, is taken.
 */
function completeFromHash(fold: JobFold, hash: Hash): void {
  const { job } = fold
  if (!job.hasPayload && hash.data !== null) fold.setPayload(hash.data, hash.opts)
  fold.dispatchedAt(count(hash.timestamp))
  if ((job.type === '' || job.type === '?') && hash.name) job.type = hash.name
  if (hash.pb && job.worker === null) job.worker = hash.pb
  const isSameRun = Number(hash.run ?? 1) === job.run || hash.run === null
  const { returnvalue } = hash
  const isGiven = returnvalue !== null && returnvalue !== NOTHING
  if (job.status === 'completed' && isGiven && isSameRun && !fold.hasResult) {
    fold.setResult(returnvalue)
  }
  const lacking = fold.attemptsWithoutError()
  if (lacking.length === 0) return
  const stacks = readStacks(hash.stacktrace)
  const hasFailed = job.status === 'failed'
  /**
   * An attempt whose code put the job off, or that met a rate limit, looks like one that failed: BullMQ counts it as none. The hash
   * may tell of an end that the entries have not come to yet.
   */
  const hasEnded = hash.finishedOn !== null
  const failures = Number(hash.atm) - (hasEnded ? 1 : 0)
  const stacksOfEnd = hasFailed || (hasEnded && hash.failedReason !== null) ? 1 : 0
  const isPutOff = isSameRun && hash.name !== null && failures <= 0 && stacks.length <= stacksOfEnd
  for (const attempt of lacking) {
    if (isPutOff && !(hasFailed && attempt.attempt === job.attempts)) {
      fold.handsBack(attempt)
      continue
    }
    /** The only one is that of the end, whichever attempt that was. */
    const stack = isPutOff ? stacks[0] : stacks[attempt.attempt - 1]
    attempt.stack = stack || null
    attempt.error ??= messageOf(stack)
    attempt.worker ??= hash.pb
  }
}
