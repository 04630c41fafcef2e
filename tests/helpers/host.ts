import type { ApplicationService } from '@adonisjs/core/types'
import { IgnitorFactory } from '@adonisjs/core/factories'
import { defineConfig as defineLucidConfig } from '@adonisjs/lucid'
import { defineConfig as defineRedisConfig } from '@adonisjs/redis'
import { ROOT } from './app.ts'
import { createDatabase, type TestDatabase } from './databases.ts'
import { redisServer } from './servers.ts'

/**
 * Boots a minimal application with the package in it, in this process and with its own servers: what a host's own code sees
 * (`app.container.make('queuedeck')`). Any number may live at once; the `services/*` modules belong to the first one.
 * End each with `app.terminate()`.
 *
 * @param options.queuedeck  What config/queuedeck.ts would export: the value itself, or made by `defineConfig`.
 * @param options.config  Further config files by name.
 */
export async function hostApp(
  options: {
    redisPort?: number
    database?: TestDatabase
    queuedeck?: unknown
    config?: Record<string, unknown>
    providers?: (() => Promise<unknown>)[]
    environment?: 'web' | 'console' | 'test'
  } = {}
): Promise<ApplicationService> {
  const port = options.redisPort ?? (await redisServer()).port
  const database = options.database ?? (await createDatabase())
  const ignitor = new IgnitorFactory()
    .withCoreProviders()
    .withCoreConfig()
    .merge({
      rcFileContents: {
        providers: [
          () => import('@adonisjs/core/providers/vinejs_provider'),
          () => import('@adonisjs/core/providers/edge_provider'),
          () => import('@adonisjs/lucid/database_provider'),
          () => import('@adonisjs/redis/redis_provider'),
          ...(options.providers ?? []),
          () => import('#queuedeck/queuedeck_provider'),
        ],
      },
      config: {
        redis: defineRedisConfig({
          connection: 'main',
          connections: { main: { host: '127.0.0.1', port, password: '', db: 0, keyPrefix: '' } },
        } as never),
        database: defineLucidConfig({
          connection: database.kind,
          connections: { [database.kind]: database.connection as never },
        }),
        queuedeck: options.queuedeck ?? {},
        ...options.config,
      },
    })
    .create(ROOT, { importer: (path) => import(new URL(path, ROOT).href) })
  const app = ignitor.createApp(options.environment ?? 'console')
  await app.init()
  await app.boot()
  await app.start(() => {})
  return app
}
