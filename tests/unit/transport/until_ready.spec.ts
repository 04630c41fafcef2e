import { EventEmitter } from 'node:events'
import { test } from '@japa/runner'
import { HUNG_UP } from '../../../src/transport/outage.ts'
import { untilReady } from '../../../src/transport/until_ready.ts'

/** Longer than a server that refuses is waited for, ms. */
const PAST_PATIENCE = 1_300

test('a server that hangs up again and again is given up, also where a connection stood when patience ended', async ({
  assert,
}) => {
  const client = new EventEmitter()
  const began = performance.now()
  const answer = untilReady(client as never, began + 5_000)
  client.emit('close')
  client.emit('connect')
  setTimeout(() => client.emit('close'), PAST_PATIENCE)
  assert.deepEqual(await answer, { refused: HUNG_UP })
  assert.isBelow(performance.now() - began, 4_000)
  assert.deepEqual(client.eventNames(), [])
})
