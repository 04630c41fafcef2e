import type { ApplicationService } from '@adonisjs/core/types'
import { defineConfig as defineLoggerConfig } from '@adonisjs/core/logger'
import { defineConfig as defineRedisConfig } from '@adonisjs/redis'
import settings from '#config/queuedeck'
import { WorkerPool } from '../../../src/worker/worker_pool.ts'
import { commandLine, type CommandResult } from '#tests/helpers/command_line'
import { createDatabase, type TestDatabase } from '#tests/helpers/databases'
import { hostApp } from '#tests/helpers/host'
import { redisServer } from '#tests/helpers/servers'
import { uniquePrefix } from '#tests/helpers/unique_prefix'
import { migrate } from '../mirror/records.ts'

/** What a command with `--json` answered: its standard output has to be one JSON document, whatever happened. */
export type Answer = CommandResult & { json: any }

/**
 * The commands inside of this process, with the queues and jobs of the application in this repository.
 */
export class CommandLab {
  readonly #run: (args: string[]) => Promise<CommandResult>
  #pool: WorkerPool | undefined

  private constructor(
    readonly app: ApplicationService,
    readonly redis: { host: string; port: number },
    readonly database: TestDatabase,
    readonly prefix: string,
    run: (args: string[]) => Promise<CommandResult>
  ) {
    this.#run = run
  }

  /** @param options.database  one with tables; without it such a one is made */
  static async open(
    options: {
      redis?: { host: string; port: number }
      database?: TestDatabase
      prefix?: string
    } = {}
  ): Promise<CommandLab> {
    const { host, port } = options.redis ?? (await redisServer())
    const database = options.database ?? (await migratedDatabase())
    const prefix = options.prefix ?? uniquePrefix()
    const app = await hostApp({
      database,
      queuedeck: { queues: settings.queues, prefix },
      config: {
        redis: defineRedisConfig({
          connection: 'main',
          connections: {
            main: { host, port, retryStrategy: (times: number) => Math.min(times * 200, 2_000) },
          },
        } as never),
        logger: defineLoggerConfig({
          default: 'app',
          loggers: { app: { enabled: false } },
        }),
      },
    })
    return new CommandLab(app, { host, port }, database, prefix, await commandLine(app))
  }

  run(...args: string[]): Promise<CommandResult> {
    return this.#run(args)
  }

  async ask(...args: string[]): Promise<Answer> {
    return answerOf(args, await this.#run([...args, '--json']))
  }

  /** Runs jobs and writes records until the lab closes, as `queue:work` does. */
  async work(): Promise<void> {
    const { container } = this.app
    this.#pool = new WorkerPool({
      config: await container.make('queuedeck.config'),
      transport: await container.make('queuedeck.transport'),
      registry: (await container.make('queuedeck')).registry,
      container: container.createResolver(),
      logger: await container.make('logger'),
      version: '1.0.0',
    })
    await this.#pool.start()
    ;(await container.make('queuedeck.mirror')).start()
  }

  async close(): Promise<void> {
    this.#pool?.abort()
    await this.#pool?.ended
    await this.app.terminate()
  }
}

/** @throws naming the command, when its standard output is anything but one JSON document */
export function answerOf<T extends { code: number | null; stdout: string; output: string }>(
  args: string[],
  result: T
): T & { json: any } {
  try {
    return { ...result, json: JSON.parse(result.stdout) }
  } catch {
    throw new Error(
      `${args.join(' ')} printed no JSON document, code ${result.code}:\n${result.output}`
    )
  }
}

export async function migratedDatabase(): Promise<TestDatabase> {
  const database = await createDatabase()
  await migrate(database.connection)
  return database
}
