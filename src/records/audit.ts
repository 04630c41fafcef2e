import type { StoredEntry } from '../transport/audit_trail.ts'
import {
  type AuditFilter,
  type AuditPlace,
  type AuditRow,
  readAudit,
  writeAudit,
} from './audit/audit_log.ts'
import type { Db } from './dialect/db.ts'
import type { Ledger } from './ledger.ts'

/**
 * Who did what when, in the table `queuedeck_audit`. Actions come from the trail in Redis (`AuditTrail`), moved by the mirroring process;
 * those on alerts are written with what they change.
 */
export class Audit {
  constructor(
    private db: Db,
    private ledger: Ledger
  ) {}

  /**
   * Writes entries of the trail in one transaction; the same again changes nothing.
   *
   * @throws E_DATABASE_UNAVAILABLE
   */
  write(entries: StoredEntry[]): Promise<void> {
    return this.ledger.transaction('the audit was not written', (session) =>
      writeAudit(session, entries)
    )
  }

  /**
   * Actions, newest first.
   *
   * @param page.after  the last row of the page before
   * @throws E_DATABASE_UNAVAILABLE
   */
  list(
    filter: AuditFilter,
    page: { limit: number; after?: AuditPlace | undefined }
  ): Promise<AuditRow[]> {
    return readAudit(this.db, filter, page)
  }
}
