import { createServer, type Server } from 'node:net'

/**
 * Below the ports that systems hand out by themselves: from 32768 on Linux, from 49152 elsewhere. A port of theirs that is free now
 * may be anybody's a moment later, also the near end of a connection.
 */
const FIRST = 10_000
const END = 32_000
const BLOCK = 50

/** The ports of the block that this process holds and has not given yet. */
let left: number[] = []
let claiming: Promise<void> | undefined

/**
 * A free port of 127.0.0.1 that no other process of the tests is given: servers take a while until they listen, and some are stopped
 * and started again on the same port. A process holds a block of ports for as long as it lives, by listening to the block's first one.
 */
export async function freePort(): Promise<number> {
  while (true) {
    const port = left.shift()
    if (port === undefined) await (claiming ??= claim().finally(() => (claiming = undefined)))
    else if (await released(port)) return port
  }
}

async function claim(): Promise<void> {
  const blocks = Array.from({ length: (END - FIRST) / BLOCK }, (_, at) => FIRST + at * BLOCK)
  const start = Math.floor(Math.random() * blocks.length)
  for (const first of [...blocks.slice(start), ...blocks.slice(0, start)]) {
    const holder = await listen(first)
    if (!holder) continue
    holder.unref()
    left = Array.from({ length: BLOCK - 1 }, (_, at) => first + at + 1)
    return
  }
  throw new Error(`Every block of ports from ${FIRST} to ${END} is held`)
}

/** Whether nobody listens there: a server of a process that held the block before may still be ending. */
async function released(port: number): Promise<boolean> {
  const server = await listen(port)
  if (!server) return false
  return new Promise((resolve) => server.close(() => resolve(true)))
}

function listen(port: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy())
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined))
    server.listen({ port, host: '127.0.0.1' }, () => resolve(server))
  })
}
