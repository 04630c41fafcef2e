import type { HttpContext } from '@adonisjs/core/http'
import { InvalidInputException } from '../../errors.ts'
import { assertManage } from '../access/assert_manage.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { fieldsOf, parametersOf } from '../parameters.ts'
import { cleanupJson, cleanupsPage } from '../presenters/cleanups_page.ts'
import { iso } from '../presenters/job_json.ts'
import { answerPage } from './page_answer.ts'
import { leadTo } from './lead_to.ts'
import { shown } from '../../shown.ts'

const PAGE = 25

/**
 * Runs of the cleanup, and one more by hand.
 */
export default class CleanupsController {
  async index(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls, clock } = viewer
    const below = readCursor(parametersOf(ctx, ['cursor']).cursor)
    const isJson = wishOf(ctx) === 'json'
    const revision = await dashboard.live.revision()
    const read = async () => ({
      status: await dashboard.cleanups.recorded(),
      found: await dashboard.cleanups.runs({ limit: PAGE + 1, ...(below ? { below } : {}) }),
    })
    const [recorded, isLed] = await Promise.all([
      isJson ? read() : read().catch(unlessAway),
      dashboard.cleansUp(),
    ])
    const status = recorded?.status ?? null
    const runs = recorded?.found.slice(0, PAGE) ?? []
    const older = (recorded?.found.length ?? 0) > PAGE ? runs.at(-1)!.id : null
    if (isJson) {
      const next = isLed === true ? status!.next : null
      return sendJson(ctx, {
        data: runs.map(cleanupJson),
        page: { next: older === null ? null : String(older) },
        last: status!.last && cleanupJson(status!.last),
        running: status!.running && cleanupJson(status!.running),
        next: next === null ? null : iso(next),
        kept: dashboard.kept,
      })
    }
    const { kept, cleanupEvery: every } = dashboard
    const seen = { status, isLed, runs, older, isFirst: below === null, kept, every }
    return answerPage(
      viewer,
      {
        ...{ title: 'Cleanup', kind: 'cleanups', template: 'pages/cleanups', revision },
        databaseAway: recorded === null,
      },
      ({ manage }) => ({ cleanups: cleanupsPage({ ...seen, manage }, { urls, clock }) })
    )
  }

  /** Begins a run, or a dry one, in this process; its record says what becomes of it. */
  async store(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls } = viewer
    await assertManage(viewer)
    const dryRun = readDryRun(fieldsOf(ctx, ['dryRun']).dryRun)
    const id = await dashboard.runCleanup.start({ actor: await viewer.actor(), dryRun })
    if (wishOf(ctx) === 'json') {
      const [run] = await dashboard.cleanups.runs({ limit: 1, below: id + 1 })
      ctx.response.header('location', urls.cleanups())
      return sendJson(ctx, { outcome: 'requested', reason: null, cleanup: cleanupJson(run) }, 202)
    }
    return leadTo(ctx, urls.cleanups(), {
      level: 'success',
      text: dryRun ? 'Counting what would go' : 'Cleaning up',
    })
  }
}

function readCursor(value: unknown): number | null {
  if (value === undefined || value === '') return null
  if (typeof value === 'string' && /^[1-9]\d{0,14}$/.test(value)) return Number(value)
  throw new InvalidInputException(
    `"cursor" must be the "next" of another page, not "${shown(value, 40)}"`,
    'cursor'
  )
}

function readDryRun(value: unknown): boolean {
  if (value === undefined || value === false || value === '' || value === 'false') return false
  if (value === true || value === 'true') return true
  throw new InvalidInputException(
    `"dryRun" must be true or false, not "${shown(value, 40)}"`,
    'dryRun'
  )
}

/** The page stands while the database is away, and says so. */
function unlessAway(error: { status?: number }): null {
  if (error.status === 503) return null
  throw error
}
