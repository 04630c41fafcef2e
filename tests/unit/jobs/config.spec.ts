import { test } from '@japa/runner'
import { defineConfig, resolveConfig } from '../../../src/config.ts'
import type { QueuedeckConfig } from '../../../src/types.ts'

test.group('Configuration', () => {
  test('fills in every default, durations in milliseconds', ({ assert }) => {
    const { alerts, ...rest } = defineConfig({})
    assert.isTrue(alerts.automatic)
    assert.deepEqual(rest, {
      redis: undefined,
      prefix: '{queuedeck}',
      database: undefined,
      defaultQueue: 'default',
      queues: [],
      payloadLimit: 1_048_576,
      jobs: 'app/jobs',
      worker: { concurrency: 10, timeout: 259_200_000, grace: 30_000, lease: 30_000, maxLosses: 3 },
      limits: { global: 10, user: 3, users: {}, types: {}, queues: {} },
      mirror: true,
      kept: {
        completed: 86_400_000,
        cancelled: 7_200_000,
        failed: 0,
        atStart: 3_600_000,
        results: 500_000,
        claims: 600_000,
        records: { completed: 2_592_000_000, failed: 7_776_000_000, cancelled: 7_776_000_000 },
        details: 2_592_000_000,
        cleanups: 7_776_000_000,
        alerts: 7_776_000_000,
        audit: 31_536_000_000,
        metrics: { minutes: 7_776_000_000, hours: 63_072_000_000 },
      },
      cleanup: { every: 600_000, automatic: true },
      dashboard: { prefix: '/admin/queue', proxyPrefix: '', access: {}, redact: [] },
    })
  })

  test('takes its own output and a plain object alike', ({ assert }) => {
    const resolved = defineConfig({ worker: { grace: '5s' } })
    assert.strictEqual(resolveConfig(resolved), resolved)
    assert.deepEqual(resolveConfig({ worker: { grace: '5s' } }), resolved)
  })

  test('refuses {key}')
    .with([
      {
        key: 'connection',
        config: { connection: 'main' },
        message: /"connection" is not known\. Remove it or use one of: redis,/,
      },
      {
        key: 'worker.threads',
        config: { worker: { threads: 2 } },
        message: /"worker\.threads" is not known/,
      },
      {
        key: 'dashboard.access.edit',
        config: { dashboard: { access: { edit: () => true } } },
        message: /"dashboard\.access\.edit"/,
      },
      {
        key: 'worker.timeout',
        config: { worker: { timeout: '5 bananas' } },
        message: /Cannot read "5 bananas" as the duration of "worker\.timeout"/,
      },
      {
        key: 'worker.concurrency',
        config: { worker: { concurrency: 0 } },
        message: /"worker\.concurrency" cannot be 0: give a whole number from 1/,
      },
      {
        key: 'worker.lease',
        config: { worker: { lease: 10 } },
        message: /"worker\.lease" cannot be 10: give at least 1000 ms/,
      },
      {
        key: 'worker.lease',
        config: { worker: { lease: '80d' } },
        message: /"worker\.lease" cannot be "80d": give at most 86400000 ms/,
      },
      {
        key: 'payloadLimit',
        config: { payloadLimit: '1 apple' },
        message: /"payloadLimit" cannot be "1 apple"/,
      },
      {
        key: 'prefix',
        config: { prefix: 'queue' },
        message: /"prefix" cannot be "queue": put a part in braces/,
      },
      { key: 'queues', config: { queues: ['a:b'] }, message: /"queues" cannot be "a:b"/ },
      { key: 'queues', config: { queues: ['a\ud800'] }, message: /half surrogate pairs/ },
      {
        key: 'mirror',
        config: { mirror: 'yes' },
        message: /"mirror" cannot be "yes": give true or false/,
      },
      {
        key: 'dashboard.prefix',
        config: { dashboard: { prefix: 'queue?x' } },
        message: /"dashboard\.prefix"/,
      },
      {
        key: 'dashboard.access.view',
        config: { dashboard: { access: { view: true } } },
        message: /give a function/,
      },
      ...[
        0,
        -1,
        1.5,
        1_000_001,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        '3',
        '',
        [],
        {},
        true,
      ].flatMap((value) =>
        [
          { global: value },
          { user: value },
          { users: { ann: value } },
          { types: { pdf: value } },
        ].map((limits) => ({
          key: `limits (${String(value)})`,
          config: { limits },
          message:
            /"limits\.(global|user|users\.ann|types\.pdf)" cannot be .*: give a whole number from 1 to 1000000, or null for no limit\. To run nothing at all, pause the queue/,
        }))
      ),
      {
        key: 'limits.queues',
        config: { limits: { queues: { mail: null } } },
        message: /"limits\.queues\.mail" cannot be null: give a whole number, or leave it out/,
      },
      {
        key: 'limits.types of nobody',
        config: { limits: { types: { '': 3 } } },
        message: /"limits\.types" cannot be "": name 1 to 200 characters/,
      },
      {
        key: 'limits.users',
        config: { limits: { users: 'ann' } },
        message: /"limits\.users" cannot be "ann": give an object/,
      },
      {
        key: 'limits.others',
        config: { limits: { each: 3 } },
        message: /each/,
      },
      { key: 'kept', config: { kept: [] }, message: /"kept" must be an object/ },
    ])
    .run(({ assert }, { config, message }) => {
      assert.throws(() => defineConfig(config as unknown as QueuedeckConfig), message)
    })
})
