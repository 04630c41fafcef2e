import type { HttpContext } from '@adonisjs/core/http'
import { InvalidInputException } from '../../errors.ts'
import { targetOf } from '../../operations/schedules.ts'
import type { Schedule, ScheduleRun } from '../../schedule_types.ts'
import type { JobView } from '../../types.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { parametersOf } from '../parameters.ts'
import { codeBlock, redactedBlock } from '../presenters/code_block.ts'
import { iso } from '../presenters/job_json.ts'
import { framePage } from '../presenters/page.ts'
import { scheduleJson, scheduleRunJson } from '../presenters/schedule_json.ts'
import { shownPayload } from '../presenters/schedule_payload.ts'
import { calendar, runItem, schedulePreview, scheduleRow } from '../presenters/schedules_page.ts'
import type { Viewer } from '../viewer.ts'
import { answerPage } from './page_answer.ts'

const PAGE = 50

/** Runs that one schedule's page lists, and those its calendar counts. */
const LISTED = 20
const COUNTED = 400

export type SeenRun = { run: ScheduleRun; job: JobView | undefined }

/**
 * All schedules, and one of them with its runs.
 */
export default class SchedulesController {
  async index(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls, clock } = viewer
    const after = readCursor(parametersOf(ctx, ['after']).after)
    const revision = await dashboard.live.revision()
    const isJson = wishOf(ctx) === 'json'
    const read = async () => ({
      found: await dashboard.schedules.list({ after, limit: PAGE + 1 }),
      total: await dashboard.schedules.count(),
    })
    const known = isJson ? await read() : await read().catch(unlessAway)
    const list = known?.found.slice(0, PAGE) ?? []
    const next = (known?.found.length ?? 0) > PAGE ? list.at(-1)!.name : null
    if (isJson) {
      return sendJson(ctx, {
        data: await Promise.all(
          list.map((schedule) => scheduleJson(schedule, dashboard, clock.now))
        ),
        page: { next, count: known!.total },
      })
    }
    const rows = await Promise.all(
      list.map(async (schedule) => {
        const runs = await runsOf(viewer, schedule, { to: clock.now, limit: 1 })
        const [last] = await withoutSecrets(viewer, runs)
        const manage = await mayManageSchedule(viewer, schedule)
        return scheduleRow(schedule, last ?? null, { urls, clock, manage })
      })
    )
    const frame = { title: 'Schedules', kind: 'schedules', template: 'pages/schedules' } as const
    return answerPage(
      viewer,
      { ...frame, revision, databaseAway: known === null },
      ({ manage }) => ({
        schedules: {
          ...{ rows, known: known !== null, total: known?.total ?? 0 },
          next: next === null ? null : urls.schedules({ after: next }),
          first: after === '' ? null : urls.schedules(),
          create: {
            url: urls.scheduleAction('new'),
            allowed: manage,
            reason: 'You may look, but not act',
          },
        },
      })
    )
  }

  async show(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls, clock } = viewer
    parametersOf(ctx, [])
    const revision = await dashboard.live.revision()
    const schedule = await dashboard.scheduleOperations.find(String(ctx.params.id))
    const runs = await runsOf(viewer, schedule, { limit: COUNTED })
    const passed = runs.filter(({ run }) => run.due <= clock.now)
    const listed = await withoutSecrets(viewer, passed.slice(0, LISTED))
    if (wishOf(ctx) === 'json') {
      return sendJson(ctx, {
        ...(await scheduleJson(schedule, dashboard, clock.now)),
        runs: listed.map(({ run, job }) => scheduleRunJson(run, job)),
      })
    }
    const manage = await mayManageSchedule(viewer, schedule)
    const row = scheduleRow(schedule, listed[0] ?? null, { urls, clock, manage })
    const { moments } = schedulePreview(
      {
        ...(schedule.cron === null ? { every: String(schedule.every) } : { cron: schedule.cron }),
        zone: schedule.zone ?? '',
      },
      clock
    )
    const { payload } = schedule
    const shown = await shownPayload(schedule, dashboard)
    const frame = { title: `Schedule ${schedule.name}`, kind: 'schedules' } as const
    return answerPage(viewer, { ...frame, template: 'pages/schedule', revision }, () => ({
      schedule: {
        ...row,
        nextRuns: row.next === null ? [] : moments,
        runs: listed.map(({ run, job }) => runItem(run, job, { urls, clock })),
        ...calendar(schedule, runs, clock),
        payload: shown.sensitive
          ? redactedBlock('Payload', payload)
          : codeBlock('Payload', payload, shown, null),
        changed: { at: clock.moment(schedule.changedAt), by: schedule.changedBy },
      },
    }))
  }

  /** What an expression means, while it is typed. */
  async preview(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { cron, zone, every } = parametersOf(ctx, ['cron', 'zone', 'every'])
    const text = (value: unknown) => (typeof value === 'string' ? value.trim().slice(0, 300) : '')
    const preview = schedulePreview(
      { cron: text(cron), zone: text(zone), every: text(every) },
      viewer.clock
    )
    if (wishOf(ctx) === 'json') {
      const { words, often, error, moments } = preview
      return sendJson(ctx, { words, often, error, next: moments.map(({ at }) => iso(at.at)) })
    }
    const page = await framePage(viewer, { title: 'Preview', kind: 'schedules', stream: null })
    return viewer.dashboard.views.render('partials/schedule_preview', { page, preview })
  }
}

/** Whether this viewer may act on a schedule: as on the jobs that it makes. */
async function mayManageSchedule(viewer: Viewer, schedule: Schedule): Promise<boolean> {
  return (await viewer.mayManage()) && viewer.mayManage(targetOf(schedule))
}

/** Runs with their jobs, newest first. */
async function runsOf(
  { dashboard }: Viewer,
  schedule: Schedule,
  range: { to?: number; limit: number }
): Promise<SeenRun[]> {
  const runs = (await dashboard.schedules.runs(schedule.seq, range)).filter(
    ({ kind }) => kind !== 'taken back'
  )
  const ids = runs.flatMap(({ jobId }) => (jobId === null ? [] : [jobId]))
  const found = await dashboard.reader.rowsById(ids)
  const jobs = new Map(found.map((job) => [job.id, job]))
  return runs.map((run) => ({ run, job: jobs.get(run.jobId ?? '') }))
}

/** The same, with what the errors of their jobs may show. */
async function withoutSecrets({ dashboard }: Viewer, runs: SeenRun[]): Promise<SeenRun[]> {
  const texts = await dashboard.texts.forJobs(runs.flatMap(({ job }) => (job?.error ? [job] : [])))
  return runs.map(({ run, job }) => ({
    run,
    job: job && { ...job, error: texts.get(job.id)?.error(job.error) ?? null },
  }))
}

function readCursor(value: unknown): string {
  if (value === undefined) return ''
  /** No name holds U+0000, and PostgreSQL refuses it even in a question. */
  if (typeof value === 'string' && value.length <= 200 && !value.includes('\0')) return value
  throw new InvalidInputException('"after" must be the "next" of another page', 'after')
}

/** The page stands while the database is away, and says so. */
function unlessAway(error: { status?: number }): null {
  if (error.status === 503) return null
  throw error
}
