import { Job, type JobOptions } from '#queuedeck'
import { keptId } from '#services/documents/awaited_ids'
import { DocumentProblem } from '#services/documents/document_problem'
import { DocumentStore } from '#services/documents/document_store'
import { Turns } from '#services/documents/turns'
import { findingsOf, verdictOf, type Finding, type Verdict } from '#services/taxonomy/findings'
import { keptIdField } from '#validators/kept_id'
import { payloadOf } from '#validators/payload'

type Payload = {
  /** Id of a taxonomy, as the result of `taxonomy_processing.generate` names it; `awaited` stands for that of an awaited job. */
  taxonomy: string
}

type Result = {
  verdict: Verdict
  errors: number
  warnings: number
  notes: number
  /** The worst first, so many at most; the counts are of all. */
  findings: Finding[]
}

const MOST_FINDINGS = 500

/**
 * Checks whether a taxonomy is complete and consistent. What it finds is the result: a bad taxonomy is no failure of this job.
 */
export default class Validate extends Job<Payload, Result> {
  static options: JobOptions = {
    name: 'taxonomy_processing.validate',
    queue: 'documents',
    attempts: 2,
    timeout: '1h',
  }

  static payload = payloadOf({ taxonomy: keptIdField() })

  constructor(private store: DocumentStore = new DocumentStore()) {
    super()
  }

  async execute(): Promise<Result> {
    const taxonomy = await this.store.kept(
      'taxonomies',
      await keptId(this, this.payload.taxonomy, 'taxonomy')
    )
    const total = taxonomy.sets.length
    const sizes = new Map<string, number>()
    for (const [done, id] of taxonomy.sets.entries()) {
      this.signal.throwIfAborted()
      const counts = { done, total, unit: 'sets' }
      await this.progress((done / total) * 80, { stage: 'Looking for chunks', ...counts })
      try {
        sizes.set(id, (await this.store.kept('chunks', id)).chunks.length)
      } catch (error) {
        /** A set that is gone is a finding. */
        if (!(error instanceof DocumentProblem) || error.code !== 'NOT_FOUND') throw error
      }
    }
    await this.progress(80, { stage: 'Checking categories', done: 0, total: 1, unit: 'taxonomies' })
    const findings = await findingsOf(taxonomy, sizes, new Turns(this.signal))
    const verdict = verdictOf(findings)
    const count = (severity: Finding['severity']) =>
      findings.filter((finding) => finding.severity === severity).length
    await this.progress(100, { stage: 'Checked', done: 1, total: 1, unit: 'taxonomies' })
    return {
      verdict,
      errors: count('error'),
      warnings: count('warning'),
      notes: count('note'),
      findings: findings.slice(0, MOST_FINDINGS),
    }
  }
}
