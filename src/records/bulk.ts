import type { Outcome } from '../types.ts'
import {
  type BulkItem,
  type BulkOperation,
  claimItems,
  endOperation,
  findOperation,
  type BulkDrain,
  insertDrain,
  insertOperation,
  type NewBulkItem,
  openOperations,
  readItems,
  recordDrained,
  recordItems,
  stopOperation,
} from './bulk/bulk_rows.ts'
import type { Db } from './dialect/db.ts'
import type { Ledger } from './ledger.ts'

/**
 * Actions on many jobs, in the tables `queuedeck_bulk_operations` and `queuedeck_bulk_items`. Everything throws E_DATABASE_UNAVAILABLE
 * while the database is away.
 */
export class BulkLedger {
  constructor(
    private db: Db,
    private ledger: Ledger
  ) {}

  /** Writes an operation with all its items, or nothing. */
  insert(
    operation: Pick<BulkOperation, 'id' | 'action' | 'priority' | 'actor' | 'createdAt'>,
    items: NewBulkItem[]
  ): Promise<void> {
    return this.ledger.transaction('nothing was begun', (session) =>
      insertOperation(session, operation, items)
    )
  }

  /** See `insertDrain`. */
  insertDrain(
    operation: Pick<BulkOperation, 'id' | 'actor' | 'createdAt' | 'total' | 'counts'>,
    drain: BulkDrain
  ): Promise<void> {
    return this.ledger.transaction('draining does not go on', (session) =>
      insertDrain(session, operation, drain)
    )
  }

  /** See `recordDrained`. */
  recordDrained(
    seq: number,
    counts: { done: number; requested: number },
    isAll: boolean
  ): Promise<void> {
    return this.ledger.transaction('progress was not noted', (session) =>
      recordDrained(session, seq, counts, isAll)
    )
  }

  /** See `claimItems`. */
  claim(seq: number, process: string, most: number): Promise<(BulkItem & { begun: boolean })[]> {
    return this.ledger.transaction('bulk operations stand still', (session) =>
      claimItems(session, seq, process, most)
    )
  }

  /** See `recordItems`. */
  record(
    seq: number,
    results: { n: number; outcome: Outcome; reason: string | null }[]
  ): Promise<void> {
    return this.ledger.transaction('results were not noted', (session) =>
      recordItems(session, seq, results)
    )
  }

  end(seq: number, now: number): Promise<void> {
    return this.ledger.transaction('the end was not noted', (session) =>
      endOperation(session, seq, now)
    )
  }

  /** False when there is none of this id that has not ended. */
  stop(id: string): Promise<boolean> {
    return this.ledger.transaction('it was not stopped', (session) => stopOperation(session, id))
  }

  find(id: string): Promise<BulkOperation | null> {
    return findOperation(this.db, id)
  }

  open(): Promise<BulkOperation[]> {
    return openOperations(this.db)
  }

  /** Items in their order, behind a number (-1: from the first). */
  items(
    seq: number,
    page: { after: number; limit: number; outcome?: Outcome | undefined }
  ): Promise<BulkItem[]> {
    return readItems(this.db, seq, page)
  }
}
