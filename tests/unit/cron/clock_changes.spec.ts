import { CronExpressionParser } from 'cron-parser'
import { DateTime } from 'luxon'
import { test } from '@japa/runner'
import { nextMoments, readTiming } from '../../../src/cron/timing.ts'

const HOUR = 3_600_000
const MINUTE = 60_000

/** Days on which clocks change: by an hour, by half an hour, by two, at midnight. */
const CHANGES: [zone: string, change: string][] = [
  ['Europe/Berlin', '2027-03-28T01:00Z'],
  ['Europe/Berlin', '2026-10-25T01:00Z'],
  ['America/New_York', '2027-03-14T07:00Z'],
  ['America/New_York', '2026-11-01T06:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
  ['Australia/Lord_Howe', '2027-04-03T15:00Z'],
  ['Antarctica/Troll', '2027-03-28T01:00Z'],
  ['Antarctica/Troll', '2026-10-25T01:00Z'],
  ['America/Santiago', '2026-09-06T04:00Z'],
  ['America/Santiago', '2027-04-04T03:00Z'],
  ['Africa/Cairo', '2027-04-29T22:00Z'],
  ['America/Nuuk', '2027-03-28T01:00Z'],
  ['America/Nuuk', '2027-10-31T01:00Z'],
  ['America/Scoresbysund', '2027-03-28T01:00Z'],
]

const EXPRESSIONS = [
  '*/20 * * * *',
  '7-59/13 * * * *',
  '30 * * * *',
  '0 */2 * * *',
  '30 */3 * * *',
  '*/15 2 * * *',
  '*/10 1,2 * * *',
  '30 2 * * *',
  '15 1 * * *',
  '10-50 1,2 * * *',
  '30 0 * * *',
  '0 0 * * *',
  '30 2 * * 0',
  '30 23 * * *',
  '59 23 * * 6',
  '5 23 * * 0',
  '*/15 22,23 * * *',
  '0 0,23 * * *',
]

function after(cron: string, zone: string, from: string, count: number): string[] {
  return nextMoments(readTiming({ cron, zone }), Date.parse(from), count).map((moment) =>
    new Date(moment).toISOString().replace(':00.000Z', 'Z')
  )
}

/**
 * What is due, found by looking at every minute: the rules as they are documented, with the clock of luxon and the fields as another
 * library reads them.
 */
function minuteByMinute(cron: string, walls: DateTime[]): number[] {
  const { fields } = CronExpressionParser.parse(cron)
  const holds = (values: readonly (number | string)[], value: number) => values.includes(value)
  const isDue = (wall: DateTime) =>
    holds(fields.minute.values, wall.minute) &&
    holds(fields.hour.values, wall.hour) &&
    (fields.dayOfWeek.isWildcard || holds(fields.dayOfWeek.values, wall.weekday % 7))
  const isStepped = /[*/]/.test(cron.split(' ').slice(0, 2).join(' '))
  const isEveryHour = fields.hour.values.length === 24
  const seen = new Set<string>()
  const due: number[] = []
  let before = walls[0]
  for (const wall of walls) {
    const gap = wall.offset - before.offset
    let counts = isDue(wall)
    const text = `${wall.day} ${wall.hour}:${wall.minute}`
    if (!isStepped && seen.has(text)) counts = false
    seen.add(text)
    if (gap > 0 && !(isStepped && isEveryHour)) {
      for (let minutes = 1; minutes <= gap; minutes++) {
        const missing = wall.setZone('UTC', { keepLocalTime: true }).minus({ minutes })
        if (isDue(missing)) counts = true
      }
    }
    if (counts) due.push(wall.toMillis())
    before = wall
  }
  return due
}

test.group('Schedules when clocks change', () => {
  test('run a fixed time of the repeated hour once, also after a restart in it', ({ assert }) => {
    const expected = [
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
      '2026-10-27T01:30Z',
      '2026-10-28T01:30Z',
      '2026-10-29T01:30Z',
    ]
    const [first, ...rest] = expected
    assert.deepEqual(after('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', 5), [first, ...rest])
    assert.deepEqual(after('30 2 * * *', 'Europe/Berlin', '2026-10-25T01:10Z', 4), rest)
  })

  test('run a time that is missing once, at the first instant after the gap', ({ assert }) => {
    assert.deepEqual(after('30 2 * * *', 'America/New_York', '2027-03-13T12:00Z', 3), [
      '2027-03-14T07:00Z',
      '2027-03-15T06:30Z',
      '2027-03-16T06:30Z',
    ])
  })

  test('count steps by elapsed time', ({ assert }) => {
    const day = (cron: string, from: string, to: string) =>
      after(cron, 'Europe/Berlin', from, 200).filter((moment) => moment <= to).length
    assert.equal(day('*/15 * * * *', '2027-03-27T22:59Z', '2027-03-28T21:59Z'), 23 * 4)
    assert.equal(day('*/15 * * * *', '2026-10-24T21:59Z', '2026-10-25T22:59Z'), 25 * 4)
    assert.equal(day('@hourly', '2027-03-27T22:59Z', '2027-03-28T21:59Z'), 23)
    assert.equal(day('@hourly', '2026-10-24T21:59Z', '2026-10-25T22:59Z'), 25)
    assert.deepEqual(after('0 */2 * * *', 'Europe/Berlin', '2027-03-27T22:30Z', 3), [
      '2027-03-27T23:00Z',
      '2027-03-28T01:00Z',
      '2027-03-28T02:00Z',
    ])
  })

  test('do what looking at every minute finds: {0}, {1}')
    .with(CHANGES)
    .run(({ assert }, [zone, change]) => {
      const from = Date.parse(change) - 3 * HOUR
      const to = Date.parse(change) + 4 * HOUR
      const walls: DateTime[] = []
      for (let at = from; at < to; at += MINUTE) walls.push(DateTime.fromMillis(at, { zone }))
      for (const cron of EXPRESSIONS) {
        const timing = readTiming({ cron, zone })
        const found: number[] = []
        let moment = timing.next(from - 1)
        while (moment !== null && moment < to) {
          found.push(moment)
          moment = timing.next(moment)
        }
        assert.deepEqual(
          found.map((at) => new Date(at).toISOString()),
          minuteByMinute(cron, walls).map((at) => new Date(at).toISOString()),
          `${cron} in ${zone} around ${change}`
        )
      }
    })
})
