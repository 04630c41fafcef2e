import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** Pauses between two looks, ms, unless the caller says otherwise. */
const SHORTEST_PAUSE = 20
const LONGEST_PAUSE = 100

/**
 * Repeats `condition` until it answers something truthy, and answers that. An error thrown by the condition counts as "not yet";
 * the last one is named when the deadline passes. That is far away unless a test says otherwise: a machine that does much else may be
 * slow, and waiting costs nothing where the condition comes true. The longer it has waited, and the longer a look takes, the longer are the
 * pauses: looking takes the processor from what is waited for.
 *
 * @param what  What is waited for, in words: shown when it does not come.
 * @param options.every  Always the same pause, ms.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: { within?: number; every?: number } = {}
): Promise<NonNullable<Exclude<T, false>>> {
  const { within = 60_000, every } = options
  const began = performance.now()
  const deadline = began + within
  let lastError: unknown

  while (true) {
    const asked = performance.now()
    try {
      const value = await condition()
      if (value) return value as NonNullable<Exclude<T, false>>
      lastError = undefined
    } catch (error) {
      lastError = error
    }
    const now = performance.now()
    if (now >= deadline) {
      throw new Error(
        `Waited ${within} ms for ${what}${lastError ? `: ${(lastError as Error).message}` : ''}`,
        {
          cause: lastError,
        }
      )
    }
    const longer = Math.max(SHORTEST_PAUSE, now - asked, (now - began) / 20)
    await pause(every ?? Math.min(longer, LONGEST_PAUSE))
  }
}

/**
 * Whether something accepts connections there.
 */
export async function isListening(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host })
    socket.setTimeout(1_000)
    const answer = (value: boolean) => {
      socket.destroy()
      resolve(value)
    }
    socket.once('connect', () => answer(true))
    socket.once('timeout', () => answer(false))
    socket.once('error', () => answer(false))
  })
}

/**
 * Whether a process with this id exists. A zombie that nobody has collected yet does not count.
 */
export async function isAlive(pid: number): Promise<boolean> {
  const { readFile } = await import('node:fs/promises')
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return !/\) Z /.test(stat)
}
