import { test } from '@japa/runner'
import { defineConfig } from '../../../src/config.ts'

const DAY = 86_400_000

test.group('Clocks of the cleanup', () => {
  test('keep for ever what is null, and no transport longer than its record', ({ assert }) => {
    const { kept } = defineConfig({
      kept: { records: { completed: '1h', failed: null }, details: null, cancelled: '200d' },
    })
    assert.containSubset(kept, { completed: 3_600_000, cancelled: 90 * DAY, details: null })
    assert.isNull(kept.records.failed)
  })

  test('{name} cannot be {value}')
    .with([
      { name: 'kept.records.completed', value: 59_999, config: { records: { completed: 59_999 } } },
      { name: 'kept.records.failed', value: 'soon', config: { records: { failed: 'soon' } } },
      { name: 'kept.details', value: -1, config: { details: -1 } },
      { name: 'kept.results', value: null, config: { results: null } },
      { name: 'kept.metrics.minutes', value: '59m', config: { metrics: { minutes: '59m' } } },
      { name: 'kept.metrics.days', value: '', config: { metrics: { days: '1d' } } },
      { name: 'kept.record', value: '', config: { record: '' } },
      { name: 'kept.records.done', value: '', config: { records: { done: '' } } },
    ])
    .run(({ assert }, { name, config }) => {
      assert.throws(
        () => defineConfig({ kept: config as never }),
        new RegExp(name.replaceAll('.', '\\.'))
      )
    })

  test('run at most every ten seconds', ({ assert }) => {
    assert.throws(
      () => defineConfig({ cleanup: { every: '9s' } }),
      /cleanup\.every.*at least 10000/
    )
    assert.throws(
      () => defineConfig({ cleanup: { automatic: 'no' as never } }),
      /cleanup\.automatic.*true or false/
    )
  })
})
