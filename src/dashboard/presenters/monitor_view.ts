import { isTerminal } from '../../statuses.ts'
import type { JobDetails } from '../../types.ts'
import type { JobTexts } from '../redaction/job_texts.ts'
import type { DashboardUrls } from '../urls.ts'
import { codeBlock, redactedBlock } from './code_block.ts'
import { countedText } from './counted.ts'
import { itemsOf, markOf } from './job_row.ts'
import { visibleText } from '../../visible_text.ts'
import type { CodeBlock, MonitorView } from './types.ts'
import { UNKNOWN_REASON } from './waiting.ts'

export type MonitorOptions = {
  for: string | null
  /** Lets the page's browser follow this job without any other right. */
  token: string
  assets: Record<string, string>
}

/**
 * One job's live state for a page of the host.
 */
export function monitorView(
  job: JobDetails,
  texts: JobTexts,
  urls: DashboardUrls,
  options: MonitorOptions
): MonitorView {
  const body = { payload: job.payload, options: job.options, result: job.result }
  const text = texts.make(job, body)
  const terminal = isTerminal(job.status) && !job.stopping
  const error = text.error(job.error)
  const failure = job.status === 'completed' || !error ? null : visibleText(error.message)
  const query = { for: options.for, token: options.token }
  return {
    id: job.id,
    elementId: `queuedeck-monitor-${job.id}`,
    type: visibleText(job.type),
    status: job.status,
    mark: markOf(job),
    stopping: job.stopping,
    terminal,
    percent: job.status === 'completed' ? 100 : Math.round(job.progress.percent),
    /** Limits are the operator's; who waits for a job is told that it goes on by itself. */
    stage:
      job.status === 'pending' ? UNKNOWN_REASON : visibleText(text.line(job.progress.stage ?? '')),
    items: visibleText(countedText(itemsOf(job, text))),
    outcome: terminal ? (failure ?? (job.status === 'completed' ? 'Completed' : job.status)) : '',
    result: visible(
      job.status === 'completed' && job.result !== null && job.result !== 'null'
        ? job.sensitive
          ? redactedBlock('Result', job.result)
          : codeBlock('Result', job.result, text.json(job.result), null)
        : null
    ),
    error: terminal ? failure : null,
    version: job.moved,
    for: options.for,
    urls: {
      state: urls.monitor(job.id, query),
      stream: urls.monitorStream(job.id, query),
      html: urls.monitor(job.id, { ...query, html: 1 }),
    },
    assets: options.assets,
  }
}

/** Pages of the host write it out, without our ways of making hidden letters visible. */
function visible(block: CodeBlock | null): CodeBlock | null {
  return block && { ...block, text: visibleText(block.text) }
}

/**
 * What scripts of the monitor get.
 */
export function monitorState(view: MonitorView) {
  const { version, status, stopping, percent, stage, items, outcome, terminal } = view
  return { version, status, stopping, percent, stage, items, outcome, terminal }
}
