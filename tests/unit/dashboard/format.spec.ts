import { test } from '@japa/runner'
import {
  bytes,
  Clock,
  count,
  duration,
  roughDuration,
} from '../../../src/dashboard/presenters/format.ts'
import { DashboardUrls, query } from '../../../src/dashboard/urls.ts'

const NOW = Date.parse('2026-11-25T14:31:18.123Z')

test.group('Figures', () => {
  test('a duration of {0} ms reads {1}')
    .with([
      [0, '0 ms'],
      [-5, '0 ms'],
      [999.4, '999 ms'],
      [999.6, '1.0 s'],
      [12_449, '12.4 s'],
      [59_949, '59.9 s'],
      [59_950, '1 min'],
      [126_000, '2 min 06 s'],
      [3_599_600, '1 h'],
      [11_520_000, '3 h 12 min'],
      [86_400_000, '1 d'],
      [5_184_000_000, '60 d'],
      [367_200_000, '4 d 06 h'],
    ] as [number, string][])
    .run(({ assert }, [milliseconds, text]) => {
      assert.equal(duration(milliseconds), text)
    })

  test('counts, sizes and distances are short', ({ assert }) => {
    assert.equal(count(1_482_906), '1,482,906')
    assert.equal(bytes(312), '312 B')
    assert.equal(bytes(1_500), '1.5 kB')
    assert.equal(roughDuration(47 * 3_600_000), '47 h')
    assert.equal(roughDuration(72 * 3_600_000), '3 d')
  })
})

test.group('Moments', () => {
  test('are shown in the zone of the viewer, exact on demand', ({ assert }) => {
    const clock = new Clock('Asia/Kolkata', NOW)
    assert.deepEqual(clock.moment(NOW - 2_400), {
      at: NOW - 2_400,
      iso: '2026-11-25T14:31:15.723Z',
      exact: '2026-11-25 20:01:15.723+05:30 Asia/Kolkata',
      clock: '20:01:15',
      relative: '2 s ago',
    })
    assert.equal(clock.moment(NOW - 86_400_000).clock, '2026-11-24 20:01:18')
    assert.equal(clock.moment(NOW + 58_000).relative, 'in 58 s')
    assert.equal(clock.moment(NOW + 900).relative, 'now')
  })

  test('tell the hour that comes twice from its twin', ({ assert }) => {
    const exactAt = (zone: string, at: string) => new Clock(zone, NOW).moment(Date.parse(at)).exact
    assert.deepEqual(
      ['2026-10-25T00:30Z', '2026-10-25T01:30Z'].map((at) => exactAt('Europe/Berlin', at)),
      ['2026-10-25 02:30:00.000+02:00 Europe/Berlin', '2026-10-25 02:30:00.000+01:00 Europe/Berlin']
    )
    assert.equal(exactAt('America/St_Johns', '2026-11-25T00:00Z').slice(23, 29), '-03:30')
    assert.equal(exactAt('UTC', '2026-11-25T00:00Z'), '2026-11-25 00:00:00.000 UTC')
  })

  test('are the same as the platform reads them, in every zone and across changes of the clock', ({
    assert,
  }) => {
    for (const zone of [
      'UTC',
      'Asia/Kathmandu',
      'Africa/Monrovia',
      'Australia/Lord_Howe',
      'America/New_York',
    ]) {
      const clock = new Clock(zone, NOW)
      const format = new Intl.DateTimeFormat('sv-SE', {
        timeZone: zone,
        dateStyle: 'short',
        timeStyle: 'medium',
      })
      for (let step = 0; step < 400; step++) {
        const at = Date.UTC(1970, 0, 1) + step * 4_512_345_678.9
        const { exact } = clock.moment(at)
        assert.equal(exact.slice(0, 19), format.format(at), `${zone} ${at}`)
        assert.equal(exact.slice(20, 23), new Date(at).toISOString().slice(20, 23))
      }
    }
  })

  test('that no date can hold are shown as the last that one can', ({ assert }) => {
    const clock = new Clock('UTC', NOW)
    for (const at of [9e15, -9e15, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
      assert.notMatch(JSON.stringify(clock.moment(at)), /Invalid|NaN/)
    }
  })

  test('say in a narrow column no more than tells them apart', ({ assert }) => {
    const at = (text: string) => Date.parse(text)
    const clock = new Clock('Europe/Berlin', at('2026-11-29T12:00:00Z'))
    assert.equal(clock.short(at('2026-11-28T23:00:05Z')), '00:00:05')
    assert.equal(clock.short(at('2026-11-28T22:59:05Z')), '11-28 23:59')
    assert.equal(clock.short(at('2026-12-31T23:30:00Z')), '2027-01-01')
    assert.isTrue(clock.isSameDay(at('2026-11-28T23:00:05Z'), at('2026-11-29T22:59:59Z')))
    assert.isFalse(clock.isSameDay(at('2026-11-28T22:59:05Z'), at('2026-11-28T23:00:05Z')))
  })

  test('zones that nobody knows are refused', ({ assert }) => {
    assert.isTrue(Clock.knows('Europe/Lisbon'))
    for (const zone of ['Mars/Olympus', '', 'x'.repeat(50), '<script>'])
      assert.isFalse(Clock.knows(zone))
  })
})

test.group('Addresses', () => {
  const urls = new DashboardUrls('/admin/queue')

  test('hold every letter of a name', ({ assert }) => {
    const name = 'reports/a b#1?x=%2F..\\ü'
    const address = urls.jobs({ queue: name })
    assert.equal(address, '/admin/queue/jobs?queue=reports%2Fa%20b%231%3Fx%3D%252F..%5C%C3%BC')
    assert.equal(new URL(address, 'http://localhost').searchParams.get('queue'), name)
  })

  test('leave out what is empty and survive half a surrogate pair', ({ assert }) => {
    assert.equal(query({ a: '', b: null, c: undefined, d: [] }), '')
    assert.equal(query({ a: ['x', 'y'], b: 0 }), '?a=x&a=y&b=0')
    assert.equal(query({ a: '\ud800' }), '?a=%EF%BF%BD')
  })
})
