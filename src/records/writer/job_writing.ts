import type { Session, Shape } from '../dialect/session.ts'
import { writeMeasures } from '../metrics/metric_writing.ts'
import { TABLES, type StoredNameKind } from '../tables.ts'
import type { Measure } from '../metrics/metric_types.ts'
import type { FoldResult, StoredJob } from '../writer_types.ts'
import { sendDetails } from './details.ts'
import { AT, changedBits, columnsOf, givenBits, namesOf, rowOf, type LoadedJob } from './job_row.ts'
import { hostOf, type NameBook } from './name_book.ts'
import { Tally } from './tally.ts'
import { lists } from '../lists.ts'

const TAGS: Shape = { table: TABLES.tags, columns: TABLES.tags.columns, existing: 'ignore' }

/** Groups of jobs with the same changed columns; what goes beyond them shares one that names more columns. */
const MOST_GROUPS = 6

/** A job with the tags that it has now and those that are stored. */
type Tagged = { job: LoadedJob; tags: readonly number[]; tagsBefore: readonly number[] }

const NO_TAGS: readonly number[] = []

/**
 * What one transaction writes of its jobs, part by part: the database works on one while the next is folded.
 */
export class JobWriting {
  #session: Session
  #names: NameBook
  #highest: number
  #tally = new Tally()
  #measures: Measure[] = []

  /** Statements on their way: the database works on them while the rows of the next are made. */
  #sent: Promise<unknown>[] = []

  /**
   * @param highest  New jobs get the numbers after this one
   */
  constructor(session: Session, names: NameBook, highest: number) {
    this.#session = session
    this.#names = names
    this.#highest = highest
  }

  /** The highest number that is given out now. */
  get highest(): number {
    return this.#highest
  }

  /**
   * Sends the rows of jobs, which are in no other part, and of what belongs to them.
   */
  async add(folded: FoldResult): Promise<void> {
    if (folded.jobs.length === 0) return
    const names = this.#names
    const tags = new Map<StoredJob, string[]>()
    for (const { job, tags: list } of folded.tags) tags.set(job, list)
    await this.#loadNames(folded, tags)
    const tagged = this.#sendJobs(folded, tags, await this.#storedTags(folded))
    const isWritten = (job: StoredJob) => (job as LoadedJob).row !== null
    sendDetails(this.#session, (one) => this.#send(one), folded, names, isWritten)
    if (tagged.length > 0) this.#send(this.#writeTags(tagged))
    for (const measure of folded.measures ?? []) this.#measures.push(measure)
  }

  /**
   * Writes the counts. Settles when everything is written.
   */
  async end(): Promise<void> {
    this.#send(this.#tally.write(this.#session))
    this.#send(this.#writeMeasures())
    await this.settled()
  }

  /**
   * Settles when everything that was sent is written, or has failed.
   */
  async settled(): Promise<void> {
    for (const result of await Promise.allSettled(this.#sent)) {
      if (result.status === 'rejected') throw result.reason
    }
  }

  #sendJobs(
    folded: FoldResult,
    tags: Map<StoredJob, string[]>,
    stored: Map<number, number[]>
  ): Tagged[] {
    const session = this.#session
    const tally = this.#tally
    const tagged: Tagged[] = []
    const fresh: unknown[][] = []
    let given = 0
    const changed = new Map<number, unknown[][]>()
    for (const job of folded.jobs as LoadedJob[]) {
      const { before } = job
      if (!before) job.seq = ++this.#highest
      const tagsBefore = stored.get(job.seq) ?? NO_TAGS
      const list = tags.get(job)
      const has = list ? [...new Set(list.map((tag) => this.#names.id('tag', tag)))] : tagsBefore
      const row = rowOf(job, this.#names, session.idValue(job.id), has.length > 0 ? 1 : 0)
      job.row = row
      if (has.length > 0 || tagsBefore.length > 0) tagged.push({ job, tags: has, tagsBefore })
      if (before) tally.count(before, tagsBefore, -1)
      tally.count(row, has, 1)
      if (!before) {
        fresh.push(row)
        given |= givenBits(row)
        continue
      }
      const bits = changedBits(job, before, row)
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
    return tagged
  }

  #writeMeasures(): Promise<void> {
    const names = this.#names
    return writeMeasures(this.#session, this.#measures, {
      queue: ({ queue }) => names.id('queue', queue),
      type: ({ type }) => names.id('type', type),
      host: (worker) => names.hostId(worker),
    })
  }

  /** A failure is told by `end`. */
  #send(statement: Promise<unknown>): void {
    statement.catch(() => {})
    this.#sent.push(statement)
  }

  async #loadNames(folded: FoldResult, tags: Map<StoredJob, string[]>): Promise<void> {
    const names = this.#names
    const wanted = new Map<StoredNameKind, Set<string>>()
    const want = (kind: StoredNameKind, name: string) => {
      if (names.has(kind, name)) return
      const known = wanted.get(kind)
      if (known) known.add(name)
      else wanted.set(kind, new Set([name]))
    }
    for (const job of folded.jobs) {
      namesOf(job, want)
      if (job.worker !== null && !names.hasHost(job.worker)) want('host', hostOf(job.worker))
    }
    for (const { worker } of folded.attempts) if (worker !== null) want('worker', worker)
    for (const { worker } of folded.measures ?? []) {
      if (worker !== null && !names.hasHost(worker)) want('host', hostOf(worker))
    }
    for (const list of tags.values()) for (const tag of list) want('tag', tag)
    if (wanted.size > 0) await names.loadNames(this.#session, wanted)
  }

  async #storedTags(folded: FoldResult): Promise<Map<number, number[]>> {
    const tagged: number[] = []
    for (const { before, seq } of folded.jobs as LoadedJob[]) {
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
  async #writeTags(tagged: Tagged[]): Promise<void> {
    const rows: unknown[][] = []
    const stale: number[] = []
    for (const { job, tags, tagsBefore } of tagged) {
      const { before } = job
      const row = job.row!
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
    for (const list of lists(stale)) {
      await this.#session.run(`delete from queuedeck_tags where seq in (${list})`)
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
