import type { Session, Shape } from '../dialect/session.ts'
import { writeMeasures } from '../metrics/metric_writing.ts'
import { TABLES, type StoredNameKind } from '../tables.ts'
import type { FoldResult, StoredJob } from '../writer_types.ts'
import { sendDetails } from './details.ts'
import { AT, changedBits, columnsOf, givenBits, namesOf, rowOf, type LoadedJob } from './job_row.ts'
import { hostOf, type NameBook } from './name_book.ts'
import { Tally } from './tally.ts'

const TAGS: Shape = { table: TABLES.tags, columns: TABLES.tags.columns, existing: 'ignore' }

/** Groups of jobs with the same changed columns; what goes beyond them shares one that names more columns. */
const MOST_GROUPS = 6

type Written = { job: LoadedJob; row: unknown[]; tags: number[]; tagsBefore: number[] }

/**
 * What one transaction writes of its jobs.
 */
export class JobWriting {
  #session: Session
  #names: NameBook
  #folded: FoldResult
  #written = new Set<StoredJob>()
  #jobs: Written[] = []

  /** Statements on their way: the database works on them while the rows of the next are made. */
  #sent: Promise<unknown>[] = []

  constructor(session: Session, names: NameBook, folded: FoldResult) {
    this.#session = session
    this.#names = names
    this.#folded = folded
  }

  /**
   * Sends the rows of jobs. New ones get the numbers after `highest`; returns the highest that is given out now.
   */
  async writeJobs(highest: number): Promise<number> {
    const session = this.#session
    const jobs = this.#folded.jobs as LoadedJob[]
    const tags = new Map<StoredJob, string[]>()
    for (const { job, tags: list } of this.#folded.tags) tags.set(job, list)
    await this.#loadNames(tags)
    const tagsBefore = await this.#storedTags()

    let number = highest
    const fresh: unknown[][] = []
    let given = 0
    const changed = new Map<number, unknown[][]>()
    for (const job of jobs) {
      const { before } = job
      if (!before) job.seq = ++number
      const had = tagsBefore.get(job.seq) ?? []
      const list = tags.get(job)
      const has = list ? [...new Set(list.map((tag) => this.#names.id('tag', tag)))] : had
      const row = rowOf(job, this.#names, session.idValue(job.id), has.length > 0 ? 1 : 0)
      this.#written.add(job)
      this.#jobs.push({ job, row, tags: has, tagsBefore: had })
      if (!before) {
        fresh.push(row)
        given |= givenBits(row)
        continue
      }
      const bits = changedBits(before, row)
      if (bits === 0) continue
      const group = changed.get(bits)
      if (group) group.push(row)
      else changed.set(bits, [row])
    }
    if (fresh.length > 0) this.#send(session.insertJobs([0, 1, ...columnsOf(given)], fresh))
    for (const [bits, rows] of fewGroups(changed)) {
      rows.sort((one, other) => (one[0] as number) - (other[0] as number))
      this.#send(session.updateJobs(columnsOf(bits), rows))
    }
    return number
  }

  /**
   * Writes what belongs to the jobs, and the counts. Settles when everything is written.
   */
  async writeRest(): Promise<void> {
    if (this.#jobs.length > 0) this.#sendRest()
    for (const result of await Promise.allSettled(this.#sent)) {
      if (result.status === 'rejected') throw result.reason
    }
  }

  #sendRest(): void {
    const send = (statement: Promise<unknown>) => this.#send(statement)
    const isWritten = (job: StoredJob) => this.#written.has(job)
    sendDetails(this.#session, send, this.#folded, this.#names, isWritten)
    send(this.#writeTags())
    const tally = new Tally()
    for (const { job, row, tags, tagsBefore } of this.#jobs) {
      if (job.before) tally.count(job.before, tagsBefore, -1)
      tally.count(row, tags, 1)
    }
    send(tally.write(this.#session))
    send(this.#writeMeasures())
  }

  #writeMeasures(): Promise<void> {
    const names = this.#names
    const measures = this.#folded.measures ?? []
    return writeMeasures(this.#session, measures, {
      queue: ({ queue }) => names.id('queue', queue),
      type: ({ type }) => names.id('type', type),
      host: (worker) => names.hostId(worker),
    })
  }

  /** A failure is told by `writeRest`. */
  #send(statement: Promise<unknown>): void {
    statement.catch(() => {})
    this.#sent.push(statement)
  }

  async #loadNames(tags: Map<StoredJob, string[]>): Promise<void> {
    const names = this.#names
    const wanted = new Map<StoredNameKind, Set<string>>()
    const want = (kind: StoredNameKind, name: string) => {
      if (names.has(kind, name)) return
      const known = wanted.get(kind)
      if (known) known.add(name)
      else wanted.set(kind, new Set([name]))
    }
    for (const job of this.#folded.jobs) {
      namesOf(job, want)
      if (job.worker !== null && !names.hasHost(job.worker)) want('host', hostOf(job.worker))
    }
    for (const { worker } of this.#folded.attempts) if (worker !== null) want('worker', worker)
    for (const { worker } of this.#folded.measures ?? []) {
      if (worker !== null && !names.hasHost(worker)) want('host', hostOf(worker))
    }
    for (const list of tags.values()) for (const tag of list) want('tag', tag)
    if (wanted.size > 0) await names.loadNames(this.#session, wanted)
  }

  async #storedTags(): Promise<Map<number, number[]>> {
    const tagged: number[] = []
    for (const { before, seq } of this.#folded.jobs as LoadedJob[]) {
      if (before && before[AT.tagged] === 1) tagged.push(seq)
    }
    const stored = new Map<number, number[]>()
    if (tagged.length === 0) return stored
    const select = 'select seq, tag_id from queuedeck_tags where'
    for (const { seq, tag_id: tag } of await this.#session.allIn(select, 'seq', 'seq', tagged)) {
      const list = stored.get(seq)
      if (list) list.push(tag)
      else stored.set(seq, [tag])
    }
    return stored
  }

  /**
   * Tags repeat status and moment of their job, so they are written anew when one of them changes.
   */
  async #writeTags(): Promise<void> {
    const rows: unknown[][] = []
    const stale: number[] = []
    for (const { job, row, tags, tagsBefore } of this.#jobs) {
      if (tags.length === 0 && tagsBefore.length === 0) continue
      const { before } = job
      const isSame =
        before !== null &&
        before[AT.status] === row[AT.status] &&
        before[AT.createdAt] === row[AT.createdAt] &&
        tags.length === tagsBefore.length &&
        tags.every((tag) => tagsBefore.includes(tag))
      if (isSame) continue
      if (tagsBefore.length > 0) stale.push(job.seq)
      for (const tag of tags) rows.push([tag, row[AT.status], row[AT.createdAt], job.seq])
    }
    for (let at = 0; at < stale.length; at += 500) {
      const part = stale.slice(at, at + 500).join(', ')
      await this.#session.run(`delete from queuedeck_tags where seq in (${part})`)
    }
    if (rows.length > 0) await this.#session.put(TAGS, rows)
  }
}

/**
 * Joins the smallest groups: rows are whole, so a statement may name more columns than changed.
 */
function fewGroups(groups: Map<number, unknown[][]>): Map<number, unknown[][]> {
  if (groups.size <= MOST_GROUPS) return groups
  const sorted = [...groups].sort(([, one], [, other]) => other.length - one.length)
  const few = new Map(sorted.slice(0, MOST_GROUPS - 1))
  const rest = sorted.slice(MOST_GROUPS - 1)
  const bits = rest.reduce((all, [one]) => all | one, 0)
  const rows = rest.flatMap(([, list]) => list)
  few.set(bits, [...(few.get(bits) ?? []), ...rows])
  return few
}
