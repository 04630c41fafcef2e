import { test } from '@japa/runner'
import { ALERT_RULES } from '../../../src/alert_rules.ts'
import { defineConfig } from '../../../src/config.ts'

const HOOK = { url: 'https://example.com/hook', secret: 'sixteen letters and more' }

test.group('Settings of alerts', () => {
  test('have a default for every rule, which clears at most where it opens', ({ assert }) => {
    const { rules, automatic, every } = defineConfig({}).alerts
    assert.isTrue(automatic)
    assert.equal(every, 10_000)
    assert.sameMembers(Object.keys(rules), [...ALERT_RULES])
    for (const settings of Object.values(rules)) {
      assert.isAtMost(settings!.clear, settings!.threshold)
    }
    assert.equal(rules.cpu!.samples, 2)
    assert.equal(rules.memory!.samples, 2)
  })

  test('follow a threshold with what clears it, and the cleanup with when it is overdue', ({
    assert,
  }) => {
    const { rules } = defineConfig({
      cleanup: { every: '1h' },
      alerts: {
        rules: { oldestPending: { threshold: '10m' }, redisMemory: false, cpu: { samples: 5 } },
      },
    }).alerts
    assert.deepInclude(rules.oldestPending, { threshold: 600_000, clear: 300_000 })
    assert.isNull(rules.redisMemory)
    assert.equal(rules.cpu!.samples, 5)
    assert.equal(rules.cleanupOverdue!.threshold, 3 * 3_600_000)
  })

  test('let a silent worker be told of before it is taken off the list', ({ assert }) => {
    const settings = (staleWorker: object) => () =>
      defineConfig({ alerts: { rules: { staleWorker } } })
    assert.throws(
      settings({ threshold: '5m' }),
      /"alerts\.rules\.staleWorker\.threshold" cannot be "5m": give less than 300000 ms: .*off the list/
    )
    assert.throws(
      settings({ threshold: '2m', for: '3m' }),
      /"alerts\.rules\.staleWorker\.for" cannot be "3m": give less than 180000 ms/
    )
    const { alerts } = settings({ threshold: '4m', for: '30s' })()
    assert.deepInclude(alerts.rules.staleWorker, { threshold: 240_000, for: 30_000 })
  })

  test('{name} cannot be so')
    .with([
      { name: 'alerts.rule', config: { rule: {} } },
      { name: 'alerts.rules.failures', config: { rules: { failures: {} } } },
      { name: 'alerts.rules.cpu', config: { rules: { cpu: true } } },
      { name: 'alerts.rules.cpu.threshold', config: { rules: { cpu: { threshold: 101 } } } },
      { name: 'alerts.rules.cpu.threshold', config: { rules: { cpu: { threshold: 50.5 } } } },
      { name: 'alerts.rules.cpu.clear', config: { rules: { cpu: { threshold: 5, clear: 6 } } } },
      { name: 'alerts.rules.noWorker.samples', config: { rules: { noWorker: { samples: 2 } } } },
      {
        name: 'alerts.rules.redisEviction.threshold',
        config: { rules: { redisEviction: { threshold: 1 } } },
      },
      { name: 'alerts.rules.redisAway.for', config: { rules: { redisAway: { for: '1m' } } } },
      {
        name: 'alerts.rules.oldestPending.threshold',
        config: { rules: { oldestPending: { threshold: 'soon' } } },
      },
      { name: 'alerts.webhooks', config: { webhooks: {} } },
      { name: 'alerts.webhooks', config: { webhooks: [HOOK, HOOK] } },
      { name: 'alerts.webhooks.0.url', config: { webhooks: [{ ...HOOK, url: 'file:///etc' }] } },
      { name: 'alerts.webhooks.0.secret', config: { webhooks: [{ ...HOOK, secret: 'short' }] } },
      { name: 'alerts.webhooks.0.timeout', config: { webhooks: [{ ...HOOK, timeout: '31s' }] } },
      { name: 'alerts.webhooks.0.headers', config: { webhooks: [{ ...HOOK, headers: {} }] } },
      { name: 'alerts.mail.to', config: { mail: { to: [] } } },
      { name: 'alerts.mail.to', config: { mail: { to: 'a@b\nBcc: c@d' } } },
      { name: 'alerts.every', config: { every: '999ms' } },
      { name: 'alerts.automatic', config: { automatic: 1 } },
      { name: 'kept.alerts', kept: { alerts: null } },
    ])
    .run(({ assert }, { name, config, kept }) => {
      assert.throws(
        () => defineConfig({ alerts: config, kept } as never),
        new RegExp(`"${name.replaceAll('.', '\\.')}"`)
      )
    })
})
