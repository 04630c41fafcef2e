import { EventEmitter } from 'node:events'
import { test } from '@japa/runner'
import type { RedisClient } from '../../../src/transport/client.ts'
import { Subscription } from '../../../src/transport/subscription.ts'

type Message = { changed: { id: string }[] }

/** A client in subscriber mode that answers when it is told to. */
class Subscriber extends EventEmitter {
  status = 'ready'
  asked: string[] = []
  answer: Promise<void> = Promise.resolve()
  subscribe(channel: string) {
    this.asked.push(`+${channel}`)
    return this.answer
  }
  async unsubscribe(channel: string) {
    this.asked.push(`-${channel}`)
  }
}

function setup() {
  const client = new Subscriber()
  const subscription = new Subscription<Message>(
    () => 'news',
    () => client as unknown as RedisClient
  )
  const heard: string[] = []
  const listener = (name: string) => (message: Message) =>
    void heard.push(`${name} ${message.changed.map(({ id }) => id).join()}`)
  const send = (text: string, channel = 'news') => client.emit('message', channel, text)
  return { client, subscription, heard, listener, send }
}

test.group('Subscription', () => {
  test('subscribes with the first listener and ends with the last', async ({ assert }) => {
    const { client, subscription, heard, listener, send } = setup()
    const [first, second] = await Promise.all([
      subscription.add(listener('first')),
      subscription.add(listener('second')),
    ])
    send('{"changed":[{"id":"a"}]}')
    send('{"changed":[{"id":"b"}]}', 'other')
    first()
    send('{"changed":[]}')
    second()
    send('{"changed":[]}')
    assert.deepEqual(heard, ['first a', 'second a', 'second '])
    assert.deepEqual(client.asked, ['+news', '-news'])
    assert.deepEqual(client.eventNames(), [])
  })

  test('is there for a second listener only when it is there at all', async ({ assert }) => {
    const { client, subscription, listener } = setup()
    let subscribed!: () => void
    client.answer = new Promise((resolve) => (subscribed = resolve))
    const added: string[] = []
    for (const name of ['first', 'second']) {
      void subscription.add(listener(name)).then(() => added.push(name))
    }
    await new Promise(setImmediate)
    assert.deepEqual(added, [])
    subscribed()
    await new Promise(setImmediate)
    assert.deepEqual(added, ['first', 'second'])
  })

  test('tries again for the next listener when Redis refused the first', async ({ assert }) => {
    const { client, subscription, heard, listener, send } = setup()
    client.answer = Promise.reject(new Error('NOPERM'))
    await assert.rejects(() => subscription.add(listener('refused')), 'NOPERM')
    assert.equal(client.listenerCount('message'), 0)
    client.answer = Promise.resolve()
    await subscription.add(listener('later'))
    send('{"changed":[{"id":"a"}]}')
    assert.deepEqual(heard, ['later a'])
  })

  test('tells after each reconnection, once it is subscribed again, that messages may have been missed', async ({
    assert,
  }) => {
    const { client, subscription, heard, listener } = setup()
    const end = await subscription.add(listener('one'), () => void heard.push('missed'))
    await subscription.add(listener('two'))
    assert.deepEqual(client.asked, ['+news'])
    let subscribed!: () => void
    client.answer = new Promise((resolve) => (subscribed = resolve))
    client.emit('ready')
    await new Promise(setImmediate)
    assert.deepEqual(heard, [])
    subscribed()
    await new Promise(setImmediate)
    assert.deepEqual(heard, ['missed'])

    client.answer = Promise.reject(new Error('Connection is closed.'))
    client.emit('ready')
    client.answer = Promise.resolve()
    client.emit('ready')
    await new Promise(setImmediate)
    assert.deepEqual(heard, ['missed', 'missed'])
    end()
    client.emit('ready')
    await new Promise(setImmediate)
    assert.deepEqual(heard, ['missed', 'missed'])
  })

  test('outlives whatever anybody sends', async ({ assert }) => {
    const { subscription, heard, listener, send } = setup()
    await subscription.add(listener('one'))
    await subscription.add(listener('two'))
    for (const text of ['', '{', 'null', '7', '[]', '{}', '{"changed":[null]}', '{"changed":7}']) {
      send(text)
    }
    send('{"changed":[{"id":"a"}]}')
    assert.deepEqual(heard, ['one a', 'two a'])
  })
})
