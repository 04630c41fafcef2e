import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { Child } from '../../../bin/start/child.ts'

const REFUSED = 'connect ECONNREFUSED 127.0.0.1:1'

test.group('What a child of npm start says', (group) => {
  let logs: string
  group.each.setup(() => {
    logs = mkdtempSync(join(tmpdir(), 'queuedeck-child-'))
    return () => rmSync(logs, { recursive: true, force: true })
  })

  /** One that ran a script to its end. */
  async function ended(script: string): Promise<Child> {
    const child = new Child({ name: randomUUID(), args: ['-e', script], variables: {}, logs })
    await child.ended
    return child
  }

  /** One that wrote these lines. */
  const wrote = (...lines: string[]) => ended(`console.log(${JSON.stringify(lines.join('\n'))})`)

  test('of an error that nobody caught is its message, not the end of its fields', async ({
    assert,
  }) => {
    const thrown = `throw Object.assign(new TypeError('${REFUSED}'), { code: 'E', more: { a: 1 } })`
    assert.equal((await ended(thrown)).complaint, REFUSED)
    assert.equal(
      (await ended(`console.error(new Error('a', { cause: new Error('b') }))`)).complaint,
      'a'
    )
    const inspected = `console.error(Object.assign(new Error('${REFUSED}'), { more: { a: 1 } }))`
    assert.equal((await ended(inspected)).complaint, REFUSED)
  })

  test('of an error of a command is its message, whatever was logged before and of a cause', async ({
    assert,
  }) => {
    const logged = [
      '[12:32:51.246] FATAL (queuedeck/13484): Redis connection failure',
      '    err: {',
      '      "type": "Error",',
      '      "message": "the first",',
      '      "stack":',
      '          Error: the first',
      '              at TCPConnectWrap.afterConnect (node:net:2021:16)',
      '    }',
    ]
    const printed =
      '\u001b[31mℹ Exception: Redis cannot be reached: the connection is refused\u001b[39m'
    const says = 'Redis cannot be reached: the connection is refused'
    assert.equal((await wrote(...logged, printed, ' ⁃ at Connections.#ready')).complaint, says)
    assert.equal((await wrote(...logged, '[ error ] no such table')).complaint, 'no such table')
    assert.equal((await wrote(...logged)).complaint, 'the first')
  })

  test('without an error is its last line with a word', async ({ assert }) => {
    assert.equal((await wrote('one', 'Killed', '  }', '')).complaint, 'Killed')
    assert.isNull((await wrote('}')).complaint)
  })
  test('of how it got on is what its command said, not what was logged behind', async ({
    assert,
  }) => {
    const said = ['[ info ] begun', '[ success ] sent 3 jobs', '[12:32:51.246] FATAL: gone', '}']
    assert.equal((await wrote(...said)).news, 'sent 3 jobs')
    assert.isNull((await wrote('}')).news)
  })
})
