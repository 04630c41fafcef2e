import type { JobDetails } from '../../types.ts'
import { answeredUnchanged, refreshOf, tagOf } from '../conditional.ts'
import { wishOf } from '../negotiation.ts'
import { auditItem } from '../presenters/audit_page.ts'
import { jobPage } from '../presenters/job_page.ts'
import { framePage } from '../presenters/page.ts'
import type { Viewer } from '../viewer.ts'
import { tellPageState } from './page_state.ts'

/** Actions of people that it names. */
const MOST_ACTIONS = 8

/** Log lines that a job's page begins with. */
const LOG_LINES = 100

/**
 * The page of one job, or its sheet beside a list.
 *
 * @param logCursor  Which older lines of the log it shows; default: the newest.
 */
export async function renderJob(
  viewer: Viewer,
  job: JobDetails,
  revision: number,
  logCursor?: string
): Promise<string | void> {
  const { dashboard, ctx } = viewer
  const { urls, clock } = viewer
  const [log, context, beside, family, flow, acts] = await Promise.all([
    dashboard.reader.logs(job.id, { limit: LOG_LINES, newest: true, cursor: logCursor }),
    viewer.rowContext([job]),
    dashboard.reader.neighbours(job.id),
    dashboard.family(job),
    dashboard.flow(job),
    dashboard.audit.list({ target: job.id }, { limit: MOST_ACTIONS }),
  ])
  const keys = dashboard.secretKeys
  const audit = acts.map((act) => auditItem(act, { urls, clock, keys }))
  const view = jobPage({
    job,
    texts: dashboard.texts,
    log,
    context,
    family,
    flow,
    audit,
    previousId: beside.newer,
    nextId: beside.older,
  })
  const refresh = refreshOf(ctx)
  const isSheet = wishOf(ctx) === 'fragment' && refresh !== 'job'
  const data = {
    page: await framePage(viewer, {
      title: job.type,
      kind: 'job',
      fragment: isSheet,
      stream: { page: 'job', id: job.id, ...(view.graph && { with: view.graph.ids.toSorted() }) },
      revision,
    }),
    job: view,
  }
  const template = isSheet
    ? 'partials/job_sheet'
    : refresh === 'job'
      ? 'partials/job_region'
      : 'pages/job'
  const html = await dashboard.views.render(template, data)
  tellPageState(ctx, data.page)
  if (refresh !== null && answeredUnchanged(ctx, tagOf(html))) return
  return html
}
