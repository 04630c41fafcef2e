import { test } from '@japa/runner'
import { waitFor } from '#tests/helpers/wait'
import type { JobOptions } from '#queuedeck'
import { CLASSES, Fail } from '../dashboard/jobs.ts'
import { DashboardLab } from '../dashboard/lab.ts'

const HOSTILE = `<img src=x onerror=document.title=1>"'{{ 7*7 }}`

class Sealed extends Fail {
  static options: JobOptions = { name: 'tests.sealed', queue: 'tests', sensitive: true }
}

test.group('Pages of schedules', (group) => {
  let lab: DashboardLab
  group.setup(async () => {
    lab = await DashboardLab.open({ classes: [...CLASSES, Sealed], shield: false })
    return () => lab.close()
  })

  const json = { accept: 'application/json' }

  async function ask(method: string, path: string, body?: object) {
    const response = await fetch(`${lab.url}/admin/queue${path}`, {
      method,
      headers: { ...json, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    return { status: response.status, body: (await response.json()) as any }
  }

  async function form(path: string, fields: Record<string, string>) {
    return fetch(`${lab.url}/admin/queue${path}`, {
      method: 'POST',
      headers: { 'accept': 'text/html', 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields),
      redirect: 'manual',
    })
  }

  const page = async (path: string) =>
    (await fetch(`${lab.url}/admin/queue${path}`, { headers: { accept: 'text/html' } })).text()

  test('programs make, read, change, pause, run and delete them, with a trace', async ({
    assert,
  }) => {
    const made = await ask('POST', '/schedules', {
      ...{
        name: HOSTILE,
        type: 'tests.echo',
        payload: { password: 'p-111', n: 1, card: { cvv: 'c-222' } },
      },
      ...{ cron: '0 6 * * 5-7', zone: 'Europe/Berlin', missed: 'once' },
    })
    assert.equal(made.status, 201)
    const { schedule } = made.body
    assert.equal(schedule.words, 'At 06:00 on Friday, Saturday and Sunday')
    const card = { cvv: '[redacted]' }
    assert.deepEqual(schedule.payload, { password: '[redacted]', n: 1, card })
    assert.lengthOf(schedule.next, 5)
    const path = `/schedules/${schedule.id}`
    assert.equal((await ask('GET', '/schedules')).body.data[0].id, schedule.id)
    assert.equal(
      (await ask('POST', '/schedules', { name: HOSTILE, type: 'tests.echo', every: '1h' })).status,
      409
    )

    /** The zone stays with another expression, and an answer can be sent back as it is. */
    const moved = await ask('PATCH', path, { cron: '0 7 * * *' })
    assert.equal(moved.body.schedule.zone, 'Europe/Berlin')
    const { cron, zone, every } = moved.body.schedule
    assert.equal((await ask('PATCH', path, { cron, zone, every })).status, 200)
    /** With the secrets that were not shown, and where its jobs go, which is told beside the options. */
    const { payload, options } = (
      await ask('PATCH', path, { options: { queue: 'others', priority: 2 } })
    ).body.schedule
    const back = { payload: { ...payload, n: 2 }, options: { ...options, priority: 3 } }
    const { schedule: kept } = (await ask('PATCH', path, back)).body
    assert.deepEqual([kept.queue, kept.options], ['others', { priority: 3 }])
    const { schedules } = await lab.app.container.make('queuedeck.records')
    const stored = '{"password":"p-111","n":2,"card":{"cvv":"c-222"}}'
    assert.equal((await schedules.named(HOSTILE))!.payload, stored)
    for (const elsewhere of [{ token: '[redacted]' }, { 'card.cvv': '[redacted]' }]) {
      const refused = await ask('PATCH', path, { payload: elsewhere })
      assert.equal(refused.body.errors[0].field, 'payload')
    }

    const changed = await ask('PATCH', path, { every: '1h' })
    assert.deepEqual([changed.body.outcome, changed.body.schedule.words], ['done', 'Every hour'])
    assert.equal((await ask('POST', `${path}/pause`)).body.schedule.state, 'paused')
    assert.equal((await ask('POST', `${path}/pause`)).body.outcome, 'refused')
    assert.lengthOf((await ask('GET', path)).body.next, 0)
    assert.equal((await ask('POST', `${path}/resume`)).body.schedule.next.length, 5)
    const ran = await ask('POST', `${path}/run`)
    const record = await lab.record(ran.body.jobId)
    assert.include(record.payload, 'p-111')
    const shown = (await ask('GET', path)).body
    assert.equal(shown.runs[0].job.id, ran.body.jobId)

    for (const html of [
      await page('/schedules'),
      await page(path),
      await page(`${path}/edit`),
      await page(`${path}/delete`),
    ]) {
      assert.notInclude(html, '<img src=x')
      assert.notInclude(html, 'p-111')
      assert.include(html, '&lt;img src=x')
    }
    assert.equal((await ask('DELETE', path)).body.outcome, 'done')
    assert.equal((await ask('GET', path)).status, 404)
    const trail = await waitFor('the audit', async () => {
      const { data } = (await ask('GET', `/audit?target=${schedule.id}`)).body
      return data.some(({ action }: { action: string }) => action === 'delete_schedule') && data
    })
    assert.includeMembers(
      trail.map(({ action }: { action: string }) => action),
      ['create_schedule', 'change_schedule', 'pause_schedule', 'run_schedule', 'delete_schedule']
    )
  })

  test('what cannot be is refused, naming the field', async ({ assert }) => {
    const refusals: [object, string][] = [
      [{ cron: '0 9 30 2 *' }, 'cron'],
      [{ cron: '0-999999999 * * * *' }, 'cron'],
      [{ cron: '@daily', zone: 'Mars/Olympus' }, 'zone'],
      [{ every: '10ms' }, 'every'],
      [{ cron: '@daily', every: '1h' }, 'cron'],
      [{ every: '1h', overlap: 'both' }, 'overlap'],
      [{ every: '1h', colour: 'red' }, 'colour'],
      [{ every: '1h', type: null }, 'type'],
      [{ every: '1h', type: 7 }, 'type'],
    ]
    for (const [input, field] of refusals) {
      const { status, body } = await ask('POST', '/schedules', {
        name: 'x',
        type: 'tests.echo',
        ...input,
      })
      assert.deepEqual([status, body.errors[0].field], [422, field])
    }
    assert.equal(
      (await ask('POST', '/schedules', { name: 'x', type: 'none', every: '1h' })).body.errors[0]
        .code,
      'E_UNKNOWN_TYPE'
    )
    const noType = await ask('POST', '/schedules', { name: 'x', type: null, every: '1h' })
    assert.equal(
      noType.body.errors[0].message,
      '"type" must be the name of a registered job type, not null'
    )
    assert.equal(
      (await ask('GET', '/schedules/preview?cron=0+6+*+*+8')).body.error.includes('day of week'),
      true
    )
  })

  test('people fill in a form without scripts; one that is due every second has to be confirmed', async ({
    assert,
  }) => {
    assert.include(await page('/schedules/new'), 'name="cron"')
    const fields = {
      name: 'often',
      type: 'tests.echo',
      cron: '* * * * * *',
      zone: 'UTC',
      payload: '{"token": "t-1", "rowId": 1970670598291982291}',
    }
    const deep = await form('/schedules', {
      ...fields,
      ...{ name: 'deep', cron: '0 3 * * *', payload: '['.repeat(501) + ']'.repeat(501) },
    })
    assert.equal(deep.status, 422)
    assert.include(await deep.text(), 'nested too deep')
    const asked = await form('/schedules', fields)
    assert.equal(asked.status, 422)
    const text = await asked.text()
    assert.include(text, 'It is due every second: 86,400 jobs a day')
    assert.include(text, 'name="confirmed"')
    const made = await form('/schedules', { ...fields, confirmed: 'true' })
    assert.equal(made.status, 303)
    const path = made.headers.get('location')!.replace('/admin/queue', '')
    const edit = await page(`${path}/edit`)
    assert.include(edit, '[redacted]')
    /** What only programs say stays as it is. */
    await ask('PATCH', path, { options: { tags: ['nightly'], attempts: 2 } })
    const { schedules } = await lab.app.container.make('queuedeck.records')
    const kept = '{"token":"t-1","rowId":1970670598291982291}'
    assert.equal((await schedules.named('often'))!.payload, kept)
    const saved = await form(`${path}/edit`, {
      ...{ type: 'tests.echo', cron: '0 3 * * *', zone: 'Europe/Berlin' },
      payload: '{"token":"[redacted]", "rowId":1970670598291982291}',
    })
    assert.equal(saved.status, 303)
    const schedule = (await schedules.named('often'))!
    assert.equal(schedule.payload, kept)
    assert.deepEqual(schedule.options, { tags: ['nightly'] })
    assert.equal((await form(`${path}/delete`, {})).status, 303)
  })

  /** Everything that is shown of a schedule, and of a run of it that failed. */
  async function shownOf(type: string, payload: object) {
    const { schedule } = (
      await ask('POST', '/schedules', { name: type, type, every: '1h', payload })
    ).body
    const path = `/schedules/${schedule.id}`
    const { jobId } = (await ask('POST', `${path}/run`)).body
    await lab.record(jobId, 'failed')
    const told = (await ask('GET', path)).body
    const answers = [schedule, told, (await ask('GET', '/schedules')).body]
    const [own, list, edit] = await Promise.all([path, '/schedules', `${path}/edit`].map(page))
    const texts = [...answers.map((answer) => JSON.stringify(answer)), own, list, edit]
    return { path, told, own, edit, texts }
  }

  test('secrets are not shown where payload and errors quote them', async ({ assert }) => {
    await lab.work()
    const quoting = { message: 'p-222 was refused', password: 'p-222' }
    const { told, own, texts } = await shownOf('tests.fail', quoting)
    texts.forEach((text) => assert.notInclude(text, 'p-222'))
    assert.equal(told.payload.message, '[redacted] was refused')
    assert.equal(told.runs[0].job.error.message, '[redacted] was refused')
    assert.include(own, '[redacted] was refused')
  })

  test('sensitive jobs show nothing of their payload, which stays as it is', async ({ assert }) => {
    await lab.work()
    const sealed = { message: 'Ada is ill' }
    const { path, told, edit, texts } = await shownOf('tests.sealed', sealed)
    texts.forEach((text) => assert.notInclude(text, 'Ada'))
    assert.deepEqual([told.payload, told.runs[0].job.error.message], ['[redacted]', '[redacted]'])
    assert.include(edit, 'is not shown and cannot be edited')

    const refusals: [object, string][] = [
      [{ payload: { message: 'x' } }, 'payload'],
      [{ type: 'tests.echo' }, 'type'],
    ]
    for (const [change, field] of refusals) {
      const { status, body } = await ask('PATCH', path, change)
      assert.deepEqual([status, body.errors[0].field], [422, field])
    }
    const { payload, options } = told
    assert.equal((await ask('PATCH', path, { payload, options, every: '2h' })).status, 200)
    const fields = { type: 'tests.sealed', every: '3h' }
    assert.equal((await form(`${path}/edit`, { ...fields, payload: '{}' })).status, 422)
    assert.equal((await form(`${path}/edit`, { ...fields, payload: '"[redacted]"' })).status, 303)
    const { schedules } = await lab.app.container.make('queuedeck.records')
    const kept = (await schedules.named('tests.sealed'))!
    assert.deepEqual([kept.payload, kept.every], [JSON.stringify(sealed), 10_800_000])
  })
})
