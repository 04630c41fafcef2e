import type { HttpContext } from '@adonisjs/core/http'
import { InvalidInputException } from '../../errors.ts'
import type { ScheduleInput } from '../../jobs/schedule_definition.ts'
import { type ScheduleAnswer, targetOf } from '../../operations/schedules.ts'
import type { Schedule } from '../../schedule_types.ts'
import { assertManage } from '../access/assert_manage.ts'
import { sendJson, wishOf } from '../negotiation.ts'
import { fieldsOf, parametersOf } from '../parameters.ts'
import { framePage } from '../presenters/page.ts'
import { scheduleJson } from '../presenters/schedule_json.ts'
import { shownPayload } from '../presenters/schedule_payload.ts'
import {
  emptyForm,
  formOf,
  readForm,
  readJson,
  type ScheduleForm,
  SCHEDULE_FIELDS,
  SCHEDULE_MEMBERS,
  typedForm,
} from '../presenters/schedule_form.ts'
import { schedulePreview, scheduleRow } from '../presenters/schedules_page.ts'
import type { Viewer } from '../viewer.ts'
import { leadTo } from './lead_to.ts'

/**
 * Everything that is done to schedules. Forms work without scripts; programs send JSON.
 */
export default class ScheduleChangesController {
  /** The form of a new one. */
  async create(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    parametersOf(ctx, [])
    await assertManage(viewer)
    return this.#form(viewer, emptyForm(viewer.urls, viewer.clock.zone))
  }

  async store(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    await assertManage(viewer)
    const { scheduleOperations } = viewer.dashboard
    return this.#save(viewer, null, async (input) =>
      scheduleOperations.create(input, await viewer.actor(), (target) =>
        assertManage(viewer, target)
      )
    )
  }

  /** The form of one that is there. */
  async edit(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    parametersOf(ctx, [])
    const schedule = await this.#managed(ctx)
    const shown = await shownPayload(schedule, viewer.dashboard)
    return this.#form(viewer, formOf({ schedule, shown }, viewer.urls))
  }

  async update(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const schedule = await this.#managed(ctx)
    const { scheduleOperations } = viewer.dashboard
    return this.#save(viewer, schedule, async (input) =>
      scheduleOperations.change(schedule, input, await viewer.actor(), (target) =>
        assertManage(viewer, target)
      )
    )
  }

  async pause(ctx: HttpContext) {
    return this.#act(ctx, 'Paused', (operations, schedule, actor) =>
      operations.pause(schedule, actor)
    )
  }

  async resume(ctx: HttpContext) {
    return this.#act(ctx, 'Resumed', (operations, schedule, actor) =>
      operations.resume(schedule, actor)
    )
  }

  async run(ctx: HttpContext) {
    return this.#act(ctx, 'A job was made', (operations, schedule, actor) =>
      operations.run(schedule, actor)
    )
  }

  async confirmDelete(ctx: HttpContext) {
    const viewer = ctx.queuedeck
    const { dashboard, urls, clock } = viewer
    parametersOf(ctx, [])
    const schedule = await this.#managed(ctx)
    const row = scheduleRow(schedule, null, { urls, clock, manage: true })
    const title = `Delete ${schedule.name}?`
    if (wishOf(ctx) === 'json') {
      return sendJson(ctx, { action: 'delete', url: row.delete.url, refused: row.delete.reason })
    }
    const page = await framePage(viewer, { title, kind: 'confirm', stream: null })
    const template =
      wishOf(ctx) === 'fragment' ? 'partials/schedule_delete' : 'pages/schedule_delete'
    return dashboard.views.render(template, { page, schedule: row })
  }

  async destroy(ctx: HttpContext) {
    return this.#act(
      ctx,
      'Deleted',
      (operations, schedule, actor) => operations.delete(schedule, actor),
      true
    )
  }

  async #managed(ctx: HttpContext): Promise<Schedule> {
    const viewer = ctx.queuedeck
    await assertManage(viewer)
    const schedule = await viewer.dashboard.scheduleOperations.find(String(ctx.params.id))
    await assertManage(viewer, targetOf(schedule))
    return schedule
  }

  async #act(
    ctx: HttpContext,
    word: string,
    work: (
      operations: Viewer['dashboard']['scheduleOperations'],
      schedule: Schedule,
      actor: Awaited<ReturnType<Viewer['actor']>>
    ) => Promise<ScheduleAnswer>,
    isGone = false
  ) {
    const viewer = ctx.queuedeck
    await assertManage(viewer)
    const { back } = fieldsOf(ctx, ['back'])
    const schedule = await this.#managed(ctx)
    const answer = await work(viewer.dashboard.scheduleOperations, schedule, await viewer.actor())
    const text = answer.reason === null ? `${word}: ${schedule.name}` : answer.reason
    const toList = (isGone && answer.outcome === 'done') || back === 'list'
    return this.#answer(viewer, answer, text, { toList })
  }

  async #save(
    viewer: Viewer,
    schedule: Schedule | null,
    work: (input: ScheduleInput) => Promise<ScheduleAnswer>
  ) {
    const { ctx, urls, dashboard } = viewer
    /** By what was sent: programs that do not ask for JSON send it all the same, and no member of it may be passed over. */
    const isForm = ctx.request.is(['urlencoded', 'multipart']) !== null
    const body = fieldsOf(ctx, isForm ? SCHEDULE_FIELDS : SCHEDULE_MEMBERS)
    const stored = schedule && {
      schedule,
      shown: await shownPayload(schedule, dashboard),
      keys: dashboard.secretKeys,
    }
    const text = (name: string) => (schedule === null ? `Made: ${name}` : 'Saved')
    if (!isForm) {
      const answer = await work(readJson(body, stored, dashboard.payloadLimit))
      const words = answer.reason ?? text(answer.schedule.name)
      return this.#answer(viewer, answer, words, { status: schedule === null ? 201 : 200 })
    }
    const form = typedForm(body, stored, urls)
    try {
      const { often } = schedulePreview(form.values, viewer.clock)
      if (often !== null && !form.confirmed) {
        form.mustConfirm = often
        throw new InvalidInputException(
          `${often}. Tick the box below to save it all the same`,
          'confirmed'
        )
      }
      const answer = await work(readForm(body, stored))
      const words = answer.reason ?? text(answer.schedule.name)
      return this.#answer(viewer, answer, words, { status: schedule === null ? 201 : 200 })
    } catch (error) {
      const { status = 500 } = error as { status?: number }
      if ((status !== 422 && status !== 409) || wishOf(ctx) === 'json') throw error
      ctx.response.status(status)
      return this.#form(viewer, { ...form, error: errorOf(error) })
    }
  }

  async #answer(
    viewer: Viewer,
    answer: ScheduleAnswer,
    text: string,
    { toList = false, status = 200 }: { toList?: boolean; status?: number }
  ) {
    const { ctx, dashboard, urls, clock } = viewer
    const { outcome, reason, schedule, jobId } = answer
    if (wishOf(ctx) === 'json') {
      if (status === 201) ctx.response.header('location', urls.schedule(schedule.id))
      const body = { outcome, reason, ...(jobId === undefined ? {} : { jobId }) }
      return sendJson(
        ctx,
        { ...body, schedule: await scheduleJson(schedule, dashboard, clock.now) },
        status
      )
    }
    const path = toList ? urls.schedules() : urls.schedule(schedule.id)
    return leadTo(ctx, path, { level: outcome === 'done' ? 'success' : 'error', text })
  }

  async #form(viewer: Viewer, form: ScheduleForm): Promise<string | void> {
    const { ctx, dashboard, clock, urls } = viewer
    await dashboard.registry.load()
    if (wishOf(ctx) === 'json') {
      const { isNew, url, locked, values } = form
      const action = isNew ? 'create' : 'edit'
      return sendJson(ctx, {
        ...{ action, url, locked, fields: values, types: dashboard.registry.names() },
      })
    }
    const title = form.isNew ? 'New schedule' : `Edit ${form.values.name}`
    const page = await framePage(viewer, { title, kind: 'schedules', stream: null })
    const preview = schedulePreview(form.values, clock)
    return dashboard.views.render('pages/schedule_form', {
      ...{ page, form, preview, previewUrl: urls.scheduleAction('preview') },
      types: dashboard.registry.names(),
    })
  }
}

/** Which field of the form is wrong, and how. */
function errorOf(error: unknown): { field: string; text: string } {
  const { message, code, field } = error as { message: string; code?: string; field?: string }
  if (field) return { field: field.startsWith('options') ? 'options' : field, text: message }
  const place =
    code === 'E_UNKNOWN_TYPE' ? 'type' : code?.startsWith('E_PAYLOAD') ? 'payload' : 'options'
  return { field: place, text: message }
}
