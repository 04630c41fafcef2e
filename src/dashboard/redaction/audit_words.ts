import type { AuditRow } from '../../records/audit/audit_log.ts'
import type { Dashboard } from '../dashboard.ts'

/**
 * Actions with the words about a job as its own page shows them: a reason may quote a secret of the payload, and of a sensitive job none is
 * shown. Words about a job that is gone stay as they are, for there is nothing left to tell its secrets by.
 */
export async function redactWords(
  rows: AuditRow[],
  { reader, texts }: Pick<Dashboard, 'reader' | 'texts'>
): Promise<AuditRow[]> {
  const wordy = rows.filter(
    ({ target, reason, detail }) => target.kind === 'job' && (reason !== null || 'said' in detail)
  )
  const ids = new Set(wordy.map(({ target }) => target.id))
  const known = await texts.forJobs(await reader.rowsById([...ids]))
  return rows.map((row) => {
    const text = row.target.kind === 'job' && known.get(row.target.id)
    if (!text) return row
    const { reason, detail } = row
    const said = typeof detail.said === 'string' ? { said: text.line(detail.said) } : {}
    return { ...row, reason: text.maybe(reason), detail: { ...detail, ...said } }
  })
}
