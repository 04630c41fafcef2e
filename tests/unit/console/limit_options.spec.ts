import { test } from '@japa/runner'
import { readLimitChanges } from '../../../src/console/limit_options.ts'

test.group('Options of queue:limits', () => {
  test('name limits and their values', ({ assert }) => {
    assert.deepEqual(
      readLimitChanges({
        global: '20',
        user: 'none',
        userOf: ['urn:user:7:10', 'bob:default', 'a,b:c,d:3'],
        typeOf: ['pdf:2'],
        queueOf: ['mail:none'],
      }),
      [
        { scope: { kind: 'global' }, value: 20 },
        { scope: { kind: 'user' }, value: null },
        { scope: { kind: 'user', user: 'urn:user:7' }, value: 10 },
        { scope: { kind: 'user', user: 'bob' }, value: 'default' },
        { scope: { kind: 'user', user: 'a,b:c,d' }, value: 3 },
        { scope: { kind: 'type', type: 'pdf' }, value: 2 },
        { scope: { kind: 'queue', queue: 'mail' }, value: null },
      ]
    )
    assert.deepEqual(readLimitChanges({}), [])
  })

  test('are refused with option, value and remedy')
    .with([
      { options: { global: '0' }, field: 'global', message: /"0".*1 to 1000000.*"none".*pause/ },
      { options: { global: '' }, field: 'global', message: /""/ },
      ...['-1', 'NaN', '1e3', '0x10', ' 5', '+5', '٣', '99999999999999999999'].map((value) => ({
        options: { global: value },
        field: 'global',
        message: /cannot be a limit: give a whole number from 1 to 1000000/,
      })),
      { options: { userOf: ['ann:0'] }, field: 'user-of', message: /"0" cannot be a limit/ },
      { options: { user: '2.5' }, field: 'user', message: /"2\.5"/ },
      { options: { user: '1000001' }, field: 'user', message: /"1000001"/ },
      { options: { userOf: ['alice'] }, field: 'user-of', message: /"alice".*--user-of=alice:5/ },
      { options: { typeOf: [':5'] }, field: 'type-of', message: /":5"/ },
      { options: { queueOf: ['mail:many'] }, field: 'queue-of', message: /"many"/ },
      { options: { queueOf: ['a:b:1'] }, field: undefined, message: /queue-of.*"a:b"/ },
      { options: { typeOf: ['a:1,b:2'] }, field: 'type-of', message: /"a:1,b:2".*own --type-of/ },
      { options: { userOf: ['a:1', 'a:2'] }, field: 'user-of', message: /user a.*twice/ },
    ])
    .run(({ assert }, { options, field, message }) => {
      try {
        readLimitChanges(options)
      } catch (error) {
        assert.match((error as Error).message, message)
        assert.equal((error as { field?: string }).field, field)
        return
      }
      assert.fail('was not refused')
    })
})
