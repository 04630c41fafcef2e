import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { StartError } from './messages.ts'

/**
 * Root of the repository.
 */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Variables by name, as processes take them.
 */
export type Variables = Record<string, string | undefined>

/**
 * What `npm start` was told by its environment and by a file `.env`.
 */
export type Settings = {
  host: string
  port: number
  /** Where the private Redis, SQLite and the logs lie. */
  folder: string
  /** A Redis that is there already; null: start one. */
  redis: { host: string; port: number; password: string } | null
  /** For every child: the environment with the file `.env` under it. */
  variables: Variables
}

/**
 * @throws StartError for a port that is none
 */
export function readSettings(environment: Variables = process.env): Settings {
  const variables = { ...readEnvFile(), ...environment }
  const set = (name: string) => variables[name] || undefined
  const folder = resolve(ROOT, set('QUEUEDECK_FOLDER') ?? '.queuedeck')
  const host = set('REDIS_HOST')
  return {
    host: set('HOST') ?? '127.0.0.1',
    port: portNumber('PORT', set('PORT') ?? '3333'),
    folder,
    redis: host
      ? {
          host,
          port: portNumber('REDIS_PORT', set('REDIS_PORT') ?? '6379'),
          password: set('REDIS_PASSWORD') ?? '',
        }
      : null,
    variables: {
      ...variables,
      NODE_ENV: set('NODE_ENV') ?? 'development',
      ...((set('DB_CONNECTION') ?? 'sqlite') === 'sqlite'
        ? { DB_DATABASE: set('DB_DATABASE') ?? join(folder, 'queuedeck.sqlite') }
        : {}),
    },
  }
}

function readEnvFile(): Variables {
  try {
    return parseEnv(readFileSync(join(ROOT, '.env'), 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new StartError(`The file .env cannot be read: ${(error as Error).message}.`)
  }
}

function portNumber(name: string, text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
    throw new StartError(`${name} cannot be "${text}": give a number from 1 to 65535.`)
  }
  return port
}
