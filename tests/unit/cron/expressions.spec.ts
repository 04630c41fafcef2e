import { test } from '@japa/runner'
import { stopwatch } from '#tests/helpers/stopwatch'
import { nextMoments, readTiming } from '../../../src/cron/timing.ts'
import { readZone } from '../../../src/cron/zone.ts'

function words(cron: string): string {
  return readTiming({ cron }).words
}

function moments(cron: string, after: string, count: number, zone = 'UTC'): string[] {
  return nextMoments(readTiming({ cron, zone }), Date.parse(after), count).map((moment) =>
    new Date(moment).toISOString().replace(':00.000Z', 'Z')
  )
}

function refusal(input: Parameters<typeof readTiming>[0]) {
  try {
    readTiming(input)
  } catch (error) {
    const { message, field, code } = error as Error & { field: string; code: string }
    return { message, field, code }
  }
  return { message: '', field: '', code: '' }
}

test.group('Cron expressions', () => {
  test('says in words when "{cron}" is due')
    .with([
      { cron: '0 3 * * *', words: 'At 03:00 every day' },
      { cron: '0,30 2 * * *', words: 'At 02:00 and 02:30 every day' },
      { cron: '30 0 0 * * *', words: 'At 00:00:30 every day' },
      { cron: '0 6 * * 5-7', words: 'At 06:00 on Friday, Saturday and Sunday' },
      { cron: '0 0 * * FRI-SUN', words: 'At 00:00 on Friday, Saturday and Sunday' },
      { cron: '0 9 * * mon-fri', words: 'At 09:00 from Monday to Friday' },
      { cron: '0 0 1 * 1', words: 'At 00:00 on the 1st of every month or on Monday' },
      {
        cron: '0 0 13 1 5',
        words: 'At 00:00 on the 13th of January or on Friday in January',
      },
      { cron: '0 9 29 2 *', words: 'At 09:00 on the 29th of February' },
      { cron: '0 0 1,15,L * *', words: 'At 00:00 on the 1st, 15th and last day of every month' },
      { cron: '0 0 */2 * *', words: 'At 00:00 on every 2nd day, from the 1st, of every month' },
      { cron: '0 0 * * 5L', words: 'At 00:00 on the last Friday of the month' },
      { cron: '0 0 * * 1,FRI#2', words: 'At 00:00 on Monday and the 2nd Friday of the month' },
      {
        cron: '0 0 * jan-mar *',
        words: 'At 00:00 every day in January, February and March',
      },
      { cron: '@hourly', words: 'Every hour' },
      { cron: '@weekly', words: 'At 00:00 on Sunday' },
      { cron: '30 * * * *', words: 'At minute 30 of every hour' },
      { cron: '0 */2 * * *', words: 'At minute 0 of every 2nd hour' },
      { cron: '*/15 * * * *', words: 'Every 15 minutes' },
      { cron: '*/7 * * * *', words: 'Every 7 minutes from each full hour' },
      {
        cron: '*/10 8-18 * * 1-5',
        words: 'Every 10 minutes in hours 8 to 18 from Monday to Friday',
      },
      { cron: '* * * * * *', words: 'Every second' },
      { cron: '15 30 * * * *', words: 'At second 15 of minute 30 of every hour' },
    ])
    .run(({ assert }, { cron, words: expected }) => {
      assert.equal(words(cron).replace(/ every day$/, ''), expected.replace(/ every day$/, ''))
      assert.equal(words(cron.toUpperCase()), words(cron))
    })

  test('takes 7 for Sunday, too, and refuses 8', ({ assert }) => {
    assert.deepEqual(moments('0 6 * * 5-7', '2026-11-25T00:00Z', 5), [
      '2026-11-27T06:00Z',
      '2026-11-28T06:00Z',
      '2026-11-29T06:00Z',
      '2026-12-04T06:00Z',
      '2026-12-05T06:00Z',
    ])
    assert.equal(words('0 6 * * 7-2'), 'At 06:00 on Monday, Tuesday and Sunday')
    assert.include(refusal({ cron: '0 6 * * 8' }).message, 'The day of week cannot be "8"')
  })

  test('is due on the day of the month or of the week', ({ assert }) => {
    assert.deepEqual(moments('0 0 13 * 5', '2026-11-25T00:00Z', 4), [
      '2026-11-27T00:00Z',
      '2026-12-04T00:00Z',
      '2026-12-11T00:00Z',
      '2026-12-13T00:00Z',
    ])
  })

  test('knows the last day, the last Friday and the second Friday of a month', ({ assert }) => {
    assert.deepEqual(moments('0 0 L * *', '2027-01-31T00:00Z', 2), [
      '2027-02-28T00:00Z',
      '2027-03-31T00:00Z',
    ])
    for (const cron of ['0 0 * * 5L', '0 0 * * FRIL', '0 0 * * 5#L']) {
      assert.deepEqual(moments(cron, '2026-11-25T00:00Z', 2), [
        '2026-11-27T00:00Z',
        '2026-12-25T00:00Z',
      ])
    }
    assert.deepEqual(moments('0 0 * * fri#2', '2026-11-25T00:00Z', 1), ['2026-12-11T00:00Z'])
  })

  test('waits years for 29 February, and refuses 30 February at once', ({ assert }) => {
    assert.deepEqual(moments('0 9 29 2 *', '2026-11-25T00:00Z', 3), [
      '2028-02-29T09:00Z',
      '2032-02-29T09:00Z',
      '2036-02-29T09:00Z',
    ])
    const took = stopwatch()
    const { message, field } = refusal({ cron: '0 9 30 2 *' })
    assert.isBelow(took(), 500)
    assert.equal(field, 'cron')
    assert.include(message, 'never be due: the day of month is 30')
    assert.include(refusal({ cron: '0 0 31 4,6,9,11 *' }).message, 'never be due')
    /** Or Mondays in February. */
    assert.isNotNull(readTiming({ cron: '0 9 30 2 1' }).next(0))
  })

  test('refuses "{cron}", naming the field')
    .with([
      { cron: '60 * * * *', field: 'minute' },
      { cron: '* 24 * * *', field: 'hour' },
      { cron: '* * 0 * *', field: 'day of month' },
      { cron: '* * 32 * *', field: 'day of month' },
      { cron: '* * * 13 *', field: 'month' },
      { cron: '* * * foo *', field: 'month' },
      { cron: '* * * * 5#6', field: 'day of week' },
      { cron: '* * * * L', field: 'day of week' },
      { cron: '61 * * * * *', field: 'second' },
      { cron: '* * 15W * *', field: 'day of month' },
      { cron: '* * LW * *', field: 'day of month' },
      { cron: '* * L-3 * *', field: 'day of month' },
      { cron: '* * ? * *', field: 'day of month' },
      { cron: '5/10 * * * *', field: 'minute' },
      { cron: '*/0 * * * *', field: 'minute' },
      { cron: '*/60 * * * *', field: 'minute' },
      { cron: '1,,2 * * * *', field: 'minute' },
      { cron: '1-2-3 * * * *', field: 'minute' },
      { cron: '-1 * * * *', field: 'minute' },
      { cron: '1e1 * * * *', field: 'minute' },
      { cron: '０ * * * *', field: 'minute' },
      { cron: '* 22-2 * * *', field: 'hour' },
      { cron: '* * * * +MON', field: 'day of week' },
    ])
    .run(({ assert }, { cron, field }) => {
      const refused = refusal({ cron })
      assert.include(refused.message, `The ${field} cannot be`)
      assert.equal(refused.field, 'cron')
      assert.equal(refused.code, 'E_INVALID_INPUT')
    })

  test('says how a range over the end is written', ({ assert }) => {
    assert.include(refusal({ cron: '0 22-2 * * *' }).message, '"22-23,0-2"')
    assert.include(refusal({ cron: '0 0 * * sat-tue' }).message, '"6,0-2"')
    assert.include(refusal({ cron: '0 0 * * 7/2' }).message, '"0-6/2"')
    assert.include(refusal({ cron: '5/10 * * * *' }).message, '"5-59/10"')
  })

  test('refuses expressions that would fill the memory in no time', ({ assert }) => {
    const took = stopwatch()
    for (const part of ['0-999999999', '*/0.000001', '0-59/1e-9', '1-9999999999999999999']) {
      assert.include(refusal({ cron: `${part} * * * *` }).message, 'The minute cannot be')
    }
    for (const cron of [
      '0,'.repeat(1e6),
      '* '.repeat(1e6),
      '9'.repeat(1e6),
      `@${'a'.repeat(1e6)}`,
    ]) {
      assert.isBelow(refusal({ cron }).message.length, 300)
    }
    assert.isBelow(took(), 1_000)
  })

  test('refuses what is no expression', ({ assert }) => {
    assert.include(refusal({ cron: '' }).message, 'must be a text')
    assert.include(refusal({ cron: 5 as never }).message, 'must be a text')
    assert.include(refusal({ cron: '* * * *' }).message, 'has 4 fields')
    assert.include(refusal({ cron: '0 0 1 1 * 2026 7' }).message, 'has 7 fields')
    assert.include(refusal({ cron: '@reboot' }).message, '@hourly')
    assert.include(refusal({ cron: 'constructor' }).message, 'has 1 field;')
    assert.include(refusal({ cron: '__proto__' }).message, 'has 1 field;')
    assert.include(refusal({ cron: '@every 5m' }).message, 'use "every"')
  })

  test('keeps the name of a zone that was given, spelt right', ({ assert }) => {
    for (const zone of ['Asia/Kolkata', 'Asia/Calcutta', 'Europe/Kyiv', 'EST', 'UTC']) {
      assert.equal(readZone(zone), zone)
    }
    assert.equal(readZone('europe/BERLIN'), 'Europe/Berlin')
    assert.include(['Asia/Kolkata', 'Asia/Calcutta'], readZone('asia/kolkata'))
  })

  test('refuses zones that do not exist, naming the field', ({ assert }) => {
    for (const zone of ['Mars/Olympus', 'Europe/berlin2', '+02:00', '', 'a'.repeat(1e6), null]) {
      const { field, message } = refusal({ cron: '0 3 * * *', zone: zone as string })
      assert.equal(field, 'zone')
      assert.include(message, 'Europe/Berlin')
    }
    assert.doesNotThrow(() => readTiming({ cron: '0 3 * * *', zone: 'europe/berlin' }))
  })

  test('says so when it is due every few seconds', ({ assert }) => {
    assert.equal(
      readTiming({ cron: '* * * * * *' }).often,
      'It is due every second: 86,400 jobs a day'
    )
    assert.include(readTiming({ cron: '0,58 * * * * *' }).often, 'every 2 seconds')
    assert.isNull(readTiming({ cron: '*/10 * * * * *' }).often)
    assert.isNull(readTiming({ cron: '* * * * *' }).often)
    assert.include(readTiming({ every: '2s' }).often, '43,200 jobs a day')
  })
})

test.group('Intervals', () => {
  test('count from 1970, so that a restart changes nothing', ({ assert }) => {
    const timing = readTiming({ every: '90m' })
    assert.equal(timing.words, 'Every 1 hour 30 minutes')
    const [first, second] = nextMoments(timing, Date.parse('2026-11-25T00:10:00Z'), 2)
    assert.equal(new Date(first).toISOString(), '2026-11-25T01:30:00.000Z')
    assert.equal(second - first, 5_400_000)
    assert.equal(timing.next(first), second)
  })

  test('are one second at least, and ten years at most', ({ assert }) => {
    for (const every of [0, '999ms', '3651d', 'soon', -1, Number.NaN]) {
      assert.equal(refusal({ every }).field, 'every')
    }
    assert.equal(readTiming({ every: '1s' }).words, 'Every second')
    assert.equal(readTiming({ every: '60d' }).words, 'Every 60 days')
  })
})
