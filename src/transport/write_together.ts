import type { Socket } from 'node:net'
import type { RedisClient } from './client.ts'

/**
 * Commands that leave in one write. More would let Redis wait while they gather, and this process wait while Redis executes
 * them; fewer cost a system call, and the waking of Redis, more often.
 */
const TOGETHER = 16

/**
 * Lets commands that are sent in one turn of the event loop leave in few writes: ioredis makes a system call for each, which
 * is the largest part of what a dispatch costs a busy process. No command waits for another turn. A cluster's client has no
 * stream of its own and stays as it is.
 */
export function writeTogether(client: RedisClient): void {
  client.on('ready', () => {
    const { stream } = client as unknown as { stream?: Socket }
    if (stream !== undefined) gatherWrites(stream)
  })
}

function gatherWrites(stream: Socket): void {
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
  let held = 0
  const release = () => {
    if (held > 0) {
      held = 0
      stream.uncork()
    }
  }
  stream.write = (...args: unknown[]) => {
    if (held === 0) {
      stream.cork()
      process.nextTick(release)
    }
    held++
    const flowing = write(...args)
    if (held === TOGETHER) release()
    return flowing
  }
}
