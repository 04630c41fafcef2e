import type { HttpContext } from '@adonisjs/core/http'
import { InvalidInputException } from '../../errors.ts'
import type { AuditFilter, AuditPlace, AuditRow } from '../../records/audit/audit_log.ts'
import { readMoment, readZone, shorten } from '../../records/query/moments.ts'
import { AUDIT_ACTIONS } from '../../transport/audit_trail.ts'
import { explain } from '../errors.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { parametersOf } from '../parameters.ts'
import { type AuditFields, auditItem, auditJson, type AuditPage } from '../presenters/audit_page.ts'
import { redactWords } from '../redaction/audit_words.ts'
import type { Viewer } from '../viewer.ts'
import { answerPage } from './page_answer.ts'
import { shown } from '../../shown.ts'

const PARAMETERS = ['who', 'action', 'target', 'from', 'to', 'tz', 'cursor', 'limit'] as const

const PAGE = 50
const MOST = 200
const LONGEST = 300

/**
 * Who did what when.
 */
export default class AuditController {
  async index(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls, clock } = viewer
    const params = parametersOf(ctx, PARAMETERS)
    const fields = readFields(params)
    const tz = readOne(params, 'tz')
    const after = readCursor(params.cursor)
    const limit = readLimit(params.limit)
    const isJson = wishOf(ctx) === 'json'
    const revision = await dashboard.live.revision()
    let filter: AuditFilter
    try {
      filter = readFilter(viewer, fields, tz)
    } catch (error) {
      if (wishOf(ctx) !== 'page') throw error
      const { status, message: refusal } = explain(error)
      ctx.response.status(status)
      return this.#page(viewer, revision, { fields, refusal })
    }
    const reading = this.#read(viewer, filter, { limit: limit + 1, after })
    const found = await (isJson ? reading : reading.catch(unlessAway))
    const rows = found?.slice(0, limit) ?? []
    const last = (found?.length ?? 0) > limit ? rows.at(-1)! : null
    const next = last && `${last.at}-${last.seq}`
    if (isJson) {
      const { secretKeys } = dashboard
      return sendJson(ctx, {
        data: rows.map((row) => auditJson(row, secretKeys)),
        page: { next },
      })
    }
    const context = { urls, clock, keys: dashboard.secretKeys }
    return this.#page(viewer, revision, {
      items: rows.map((row) => auditItem(row, context)),
      fields,
      older: next === null ? null : urls.audit({ ...fields, cursor: next }),
      newest: after ? urls.audit(fields) : null,
      known: found !== null,
    })
  }

  async #read(
    { dashboard }: Viewer,
    filter: AuditFilter,
    page: { limit: number; after: AuditPlace | undefined }
  ): Promise<AuditRow[]> {
    return redactWords(await dashboard.audit.list(filter, page), dashboard)
  }

  /** What was typed stays in the form, also when it cannot be used. */
  #page(
    viewer: Viewer,
    revision: number,
    found: Partial<AuditPage> & { fields: AuditFields }
  ): Promise<string | void> {
    const audit: AuditPage = {
      ...{ items: [], refusal: null, older: null, newest: null, known: true },
      actions: Object.entries(AUDIT_ACTIONS).map(([name, label]) => ({ name, label })),
      isFiltered: Object.values(found.fields).some((value) => value !== ''),
      ...found,
    }
    const databaseAway = !audit.known
    return answerPage(
      viewer,
      { title: 'Audit', kind: 'audit', template: 'pages/audit', revision, databaseAway },
      () => ({ audit })
    )
  }
}

type Parameters = Partial<Record<(typeof PARAMETERS)[number], unknown>>

function readFields(params: Parameters): AuditFields {
  return {
    who: readOne(params, 'who'),
    action: readOne(params, 'action'),
    target: readOne(params, 'target'),
    from: readOne(params, 'from'),
    to: readOne(params, 'to'),
  }
}

function readOne(params: Parameters, name: keyof Parameters): string {
  const value = params[name] ?? ''
  if (typeof value === 'string' && value.length <= LONGEST) return value.trim()
  throw new InvalidInputException(
    `"${name}" must be one text of at most ${LONGEST} characters`,
    name
  )
}

/** Days are days of the viewer's zone, unless the address names another. */
function readFilter(viewer: Viewer, fields: AuditFields, tz: string): AuditFilter {
  const { who, action, target, from, to } = fields
  if (action !== '' && !Object.hasOwn(AUDIT_ACTIONS, action)) {
    throw new InvalidInputException(
      `"${action}" is no action. Use one of: ${Object.keys(AUDIT_ACTIONS).join(', ')}`,
      'action'
    )
  }
  const zone = tz === '' ? viewer.clock.zone : readZone(tz, 'tz')
  const moment = (text: string, field: 'from' | 'to') =>
    text === '' ? null : readMoment(text, field, zone, viewer.clock.now)
  const first = moment(from, 'from')
  const end = moment(to, 'to')?.nextDay ?? null
  if (first && end !== null && first.at >= end) {
    throw new InvalidInputException(
      `The range from "${shorten(from)}" to "${shorten(to)}" is empty: "to" must lie after "from"`,
      'to'
    )
  }
  return {
    ...(who ? { who } : {}),
    ...(action ? { action } : {}),
    ...(target ? { target } : {}),
    ...(first ? { from: first.at } : {}),
    ...(end === null ? {} : { to: end }),
  }
}

function readCursor(value: unknown): AuditPlace | undefined {
  if (value === undefined || value === '') return undefined
  const parts = typeof value === 'string' ? /^(\d{1,15})-(\d{1,15})$/.exec(value) : null
  if (parts) return { at: Number(parts[1]), seq: Number(parts[2]) }
  throw new InvalidInputException(
    `"cursor" must be the "next" of another page, not "${shown(value, 40)}"`,
    'cursor'
  )
}

function readLimit(value: unknown): number {
  if (value === undefined || value === '') return PAGE
  const limit = typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : 0
  if (limit >= 1 && limit <= MOST) return limit
  throw new InvalidInputException(
    `"limit" must be a whole number from 1 to ${MOST}, not "${shown(value, 40)}"`,
    'limit'
  )
}

function unlessAway(error: { status?: number }): null {
  if (error.status === 503) return null
  throw error
}
