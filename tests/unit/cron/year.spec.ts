import { CronExpressionParser } from 'cron-parser'
import { DateTime } from 'luxon'
import { test } from '@japa/runner'
import { readTiming } from '../../../src/cron/timing.ts'

const DAY = 86_400_000
const FROM = Date.parse('2026-07-01T00:00Z')
const TO = FROM + 365 * DAY

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
] as const

/** A few moments a day at most, of every kind that both libraries read. */
function expressions(seed: number, count: number): string[] {
  let state = seed
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const pick = (makers: (() => string)[]) => makers[random(makers.length)]()
  const number = (least: number, most: number) => String(least + random(most - least + 1))
  const range = (least: number, most: number) => {
    const from = least + random(most - least)
    return `${from}-${from + random(most - from) + 1}`
  }
  return Array.from({ length: count }, () =>
    [
      pick([() => number(0, 59), () => `${number(0, 29)},${number(30, 59)}`, () => '*/30']),
      pick([() => number(0, 23), () => `${number(0, 11)},${number(12, 23)}`, () => '*/6']),
      pick([() => '*', () => '*', () => number(1, 31), () => range(1, 28), () => 'L', () => '*/5']),
      pick([() => '*', () => '*', () => range(1, 12), () => 'JAN,jun,dec', () => '*/3']),
      pick([
        () => '*',
        () => '*',
        () => number(0, 7),
        () => range(0, 6),
        () => 'mon-fri',
        () => `${number(0, 6)}L`,
        () => `${number(0, 6)}#${number(1, 4)}`,
      ]),
    ].join(' ')
  ).filter((cron) => {
    try {
      readTiming({ cron })
      return true
    } catch {
      return false
    }
  })
}

/** The hours in which clocks change have rules of their own: clock_changes.spec.ts. */
function changesOf(zone: string): number[] {
  const changes: number[] = []
  let before: number | undefined
  for (let moment = FROM - DAY; moment < TO + DAY; moment += DAY / 4) {
    const { offset } = DateTime.fromMillis(moment, { zone })
    if (before !== undefined && offset !== before) changes.push(moment)
    before = offset
  }
  return changes
}

test.group('A simulated year', () => {
  test('is the same as another cron library has it, in {$self}')
    .with([...ZONES])
    .timeout(120_000)
    .run(({ assert }, zone) => {
      const changes = changesOf(zone)
      const isNearChange = (at: number) => changes.some((change) => Math.abs(at - change) < DAY / 2)
      for (const cron of expressions(7 + ZONES.indexOf(zone), 4)) {
        const timing = readTiming({ cron, zone })
        const ours: string[] = []
        for (let at = timing.next(FROM - 1); at !== null && at < TO; at = timing.next(at)) {
          if (!isNearChange(at)) ours.push(new Date(at).toISOString())
        }
        const theirs: string[] = []
        const other = CronExpressionParser.parse(cron, {
          tz: zone,
          currentDate: new Date(FROM - 1),
        })
        for (;;) {
          const at = other.next().getTime()
          if (at >= TO) break
          if (!isNearChange(at)) theirs.push(new Date(at).toISOString())
        }
        assert.isAbove(ours.length, 0, cron)
        assert.deepEqual(ours, theirs, `${cron} in ${zone}`)
      }
    })
})
