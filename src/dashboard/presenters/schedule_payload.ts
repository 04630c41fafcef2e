import type { JobRegistry } from '../../jobs/registry.ts'
import type { Schedule } from '../../schedule_types.ts'
import type { JobTexts } from '../redaction/job_texts.ts'
import type { Redaction } from '../redaction/redact.ts'

/** Where it is known what may be shown: a dashboard, or a command's own. */
export type ScheduleTexts = { registry: JobRegistry; texts: JobTexts }

/** The payload of a schedule without its secrets; nothing of it where jobs of its type are sensitive. */
export type ShownPayload = Redaction & { sensitive: boolean }

/** A schedule shows no more of its payload than the jobs that it makes. */
export async function shownPayload(
  { id, type, createdAt, payload }: Schedule,
  { registry, texts }: ScheduleTexts
): Promise<ShownPayload> {
  await registry.load()
  const sensitive = registry.get(type)?.options.sensitive === true
  const text = texts.make(
    { id, createdAt, run: 0, sensitive },
    { payload, options: null, result: null }
  )
  return { ...text.json(payload), sensitive }
}
