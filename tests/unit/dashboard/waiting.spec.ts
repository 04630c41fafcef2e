import { test } from '@japa/runner'
import { countedOf, countedText, unitOf } from '../../../src/dashboard/presenters/counted.ts'
import { waitingView } from '../../../src/dashboard/presenters/waiting.ts'

test.group('Reasons of waiting jobs', () => {
  test('say in a few words what holds a job back: {text}')
    .with([
      { kind: 'user', name: 'ada', running: 3, limit: 3, text: 'user limit 3/3' },
      { kind: 'global', name: '', running: 10, limit: 10, text: 'global limit 10/10' },
      { kind: 'type', name: 'pdf', running: 2, limit: 2, text: 'type limit 2/2' },
      { kind: 'queue', name: 'mail', running: 5, limit: 5, text: 'queue limit 5/5' },
      { kind: 'paused', name: 'mail', running: 1, limit: null, text: 'queue is paused' },
      { kind: 'workers', name: 'mail', running: 0, limit: null, text: 'waiting for a worker' },
      { kind: 'global', name: '', running: 1200, limit: 1000, text: 'global limit 1,200/1,000' },
      // There is room again, but others come first.
      { kind: 'user', name: 'ada', running: 2, limit: 3, text: 'waits for its turn' },
      // It was lifted this instant.
      { kind: 'user', name: 'ada', running: 3, limit: null, text: 'waiting for a worker' },
    ] as const)
    .run(({ assert }, { text, ...reason }) => {
      assert.deepEqual(waitingView(reason), { ...reason, text })
    })
})

test.group('Units of counts', () => {
  test('are singular for one, where that is plain', ({ assert }) => {
    const plain = { documents: 'document', Pages: 'Page', bytes: 'byte', sizes: 'size' }
    for (const [unit, one] of Object.entries(plain)) assert.equal(unitOf(unit, 1), one)
    for (const unit of [
      'documents',
      'pages of text',
      'boxes',
      'entries',
      'matches',
      'status',
      'classes',
      'analysis',
      's',
      'ms',
      'kg',
      '',
    ]) {
      assert.equal(unitOf(unit, unit === 'documents' ? 2 : 1), unit)
    }
  })

  test('belong to the total where there is one', ({ assert }) => {
    assert.deepEqual(countedOf({ done: 1, total: 10, unit: 'pages' }), {
      value: '1 / 10',
      unit: 'pages',
    })
    assert.equal(countedText(countedOf({ done: 0, total: 1, unit: 'pages' })), '0 of 1 page')
    assert.equal(countedText(countedOf({ done: 1, unit: 'pages' })), '1 page')
    assert.equal(countedText(countedOf({ done: 0 })), '0')
    assert.equal(countedText(countedOf({ unit: 'pages' })), '')
  })
})
