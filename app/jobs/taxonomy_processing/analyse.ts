import { Job, type JobOptions } from '#queuedeck'
import { keptId } from '#services/documents/awaited_ids'
import { DocumentStore } from '#services/documents/document_store'
import { Turns } from '#services/documents/turns'
import { analysisOf, type Analysis } from '#services/taxonomy/analysis'
import { keptIdField } from '#validators/kept_id'
import { payloadOf } from '#validators/payload'

type Payload = {
  /** Id of a taxonomy, as the result of `taxonomy_processing.generate` names it; `awaited` stands for that of an awaited job. */
  taxonomy: string
}

/**
 * Measures a taxonomy: how much it covers, how evenly, and what belongs nowhere.
 */
export default class Analyse extends Job<Payload, Analysis> {
  static options: JobOptions = {
    name: 'taxonomy_processing.analyse',
    queue: 'documents',
    attempts: 2,
    timeout: '1h',
  }

  static payload = payloadOf({ taxonomy: keptIdField() })

  constructor(private store: DocumentStore = new DocumentStore()) {
    super()
  }

  async execute(): Promise<Analysis> {
    const taxonomy = await this.store.kept(
      'taxonomies',
      await keptId(this, this.payload.taxonomy, 'taxonomy')
    )
    const analysis = await analysisOf(
      taxonomy,
      (id) => this.store.kept('chunks', id),
      new Turns(this.signal),
      async (done, total) => {
        const counts = { done, total, unit: 'sets' }
        await this.progress((done / total) * 99, { stage: 'Looking at chunks', ...counts })
        this.signal.throwIfAborted()
      }
    )
    const { placed, chunks } = analysis.coverage
    await this.progress(100, { stage: 'Measured', done: placed, total: chunks, unit: 'chunks' })
    return analysis
  }
}
