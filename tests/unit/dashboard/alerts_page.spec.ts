import { test } from '@japa/runner'
import { alertsPage } from '../../../src/dashboard/presenters/alerts_page.ts'
import { resolveConfig } from '../../../src/config.ts'
import { CONTEXT } from '../../browser/stage/worker_samples.ts'

test.group('Alerts page', () => {
  test('mutes of workers of one host have ids of their own', ({ assert }) => {
    const host = 'ip-10-0-0-1.eu-central-1.compute.internal'
    const mutes = [`${host}:1:aaaaaaaa`, `${host}:2:bbbbbbbb`, null].map((subject) => {
      return { rule: 'staleWorker' as const, subject, until: null, at: 0, by: 'ada' }
    })
    const settings = resolveConfig({}).alerts
    const input = { open: [], past: [], mutes, older: null, isFirst: true, settings }
    const { mutes: items } = alertsPage(input, CONTEXT as never)
    assert.lengthOf(new Set(items.map(({ key }) => key)), 3)
  })
})
