import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { StartError } from './messages.ts'

/** How long a Redis may take to answer, and to load its data, in milliseconds. */
const PATIENCE = { answer: 5_000, loading: 60_000 }

export type RedisAddress = { host: string; port: number; password: string }

/**
 * Asks a Redis for everything that Queuedeck needs of it: that it answers, is new enough and takes writes.
 *
 * @param processId  The server's, where it must be a certain one: any other that has the port is left alone.
 * @throws StartError with what it answered instead
 */
export async function checkRedis(address: RedisAddress, processId?: number): Promise<void> {
  const name = `The Redis at ${address.host}:${address.port}`
  const redis = new Redis({
    host: address.host,
    port: address.port,
    password: address.password || undefined,
    lazyConnect: true,
    enableReadyCheck: false,
    connectTimeout: PATIENCE.answer,
    commandTimeout: PATIENCE.answer,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  // The commands below throw what matters; without a listener the event would end the process.
  let trouble: Error | undefined
  redis.on('error', (error) => (trouble ??= error))
  try {
    await redis.connect()
    await whileLoading(() => redis.ping())
    const info = await redis.info('server')
    if (processId !== undefined && Number(/process_id:(\d+)/.exec(info)?.[1]) !== processId) {
      throw new StartError(`${name} is another one.`)
    }
    const [, version = '0', minor = '0'] = /redis_version:(\d+)\.(\d+)/.exec(info) ?? []
    if (Number(version) < 6 || (Number(version) === 6 && Number(minor) < 2)) {
      throw new StartError(`${name} is version ${version}.${minor}: Queuedeck needs 6.2 or newer.`)
    }
    await redis.set('{queuedeck}~start', '1', 'PX', 1_000)
  } catch (error) {
    if (error instanceof StartError) throw error
    throw new StartError(explain(name, trouble ?? (error as Error)))
  } finally {
    redis.disconnect()
  }
}

function explain(name: string, error: Error): string {
  const text = error.message
  if (/^(NOAUTH|WRONGPASS)|invalid.*password|without any password/i.test(text)) {
    return `${name} refuses the password ("${text}"): set REDIS_PASSWORD.`
  }
  if (/^[A-Z]{2,} /.test(text)) return `${name} answers with an error: "${text}".`
  return `${name} cannot be used (${text}): start it, or correct REDIS_HOST and REDIS_PORT.`
}

/**
 * A Redis that reads its files accepts connections and refuses everything else for a while.
 */
async function whileLoading(ask: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + PATIENCE.loading
  while (true) {
    try {
      await ask()
      return
    } catch (error) {
      const isLoading = (error as Error).message.startsWith('LOADING')
      if (!isLoading || performance.now() > deadline) throw error
      await pause(100)
    }
  }
}
