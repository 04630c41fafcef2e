import { flags } from '@adonisjs/core/ace'
import type { CommandOptions } from '@adonisjs/core/types/ace'
import string from '@adonisjs/core/helpers/string'
import { StrictCommand } from '../src/console/strict_command.ts'
import { outliveReaders } from '../src/console/unread_output.ts'
import { toMilliseconds } from '../src/durations.ts'
import { E_INVALID_OPTION } from '../src/errors.ts'
import { assertQueueName } from '../src/transport/keys.ts'
import { type WorkerEnding, WorkerPool, type WorkerSettings } from '../src/worker/worker_pool.ts'
import { isolationCommand } from '../src/worker/isolation/isolation_command.ts'
import { takeUncaughtErrors } from '../src/worker/uncaught_errors.ts'
import { packageVersion } from '../src/worker/package_version.ts'

/**
 * Runs jobs until it is told to stop.
 */
export default class QueueWork extends StrictCommand {
  static commandName = 'queue:work'
  static description = 'Run jobs'
  static help = [
    'SIGTERM and SIGINT let running jobs finish within the grace period and hand back those that do not;',
    'a second signal hands everything back at once. No job is lost or failed by that.',
    '',
    '  {{ binaryName }} queue:work',
    '  {{ binaryName }} queue:work --queues=documents,mails --concurrency=20',
    '  {{ binaryName }} queue:work --once',
  ]

  static options: CommandOptions = { startApp: true, staysAlive: true }

  @flags.array({ description: 'Only these queues, separated by commas; without it all there are' })
  declare queues?: string[]

  @flags.string({ description: 'Jobs that run at once in this process, over all its queues' })
  declare concurrency?: string

  @flags.boolean({ description: 'End when no job is left that could run now' })
  declare once?: boolean

  @flags.string({ description: 'End after this many jobs' })
  declare maxJobs?: string

  @flags.string({ description: 'End when more memory than this is used, e.g. 512mb' })
  declare maxMemory?: string

  @flags.string({ description: 'How long running jobs may take to finish at the end, e.g. 30s' })
  declare grace?: string

  @flags.boolean({
    description: 'Also write records when no other process does (as configured)',
    showNegatedVariantInHelp: true,
  })
  declare mirror?: boolean

  #pool: WorkerPool | undefined
  #onSignal = () => this.#signalled()
  #signals = 0

  prepare() {
    this.app.terminating(async () => {
      this.#pool?.drain()
      await this.#pool?.ended
    })
  }

  async run() {
    outliveReaders()
    try {
      await this.#begin()
    } catch (error) {
      /** It would stay, hold what it has begun, and run no job. */
      this.logger.error((error as Error).message)
      this.exitCode = 1
      await this.terminate()
      process.exit(1)
    }
  }

  async #begin() {
    const { registry } = await this.app.container.make('queuedeck')
    const settings = this.#settings()
    /** Before anything is started: which of two classes has a name, nobody can know. */
    await registry.load()
    /** Before anything that could wait: while Redis is away, the process still has to end when told to. */
    process.on('SIGTERM', this.#onSignal)
    process.on('SIGINT', this.#onSignal)

    const { container } = this.app
    const config = await container.make('queuedeck.config')
    this.#pool = new WorkerPool(
      {
        config,
        registry,
        container,
        transport: await container.make('queuedeck.transport'),
        logger: await container.make('queuedeck.logger'),
        version: packageVersion(),
        isolation: isolationCommand(this.app.makePath('ace.js')),
      },
      settings
    )
    if (this.#signals > 0) this.#pool.abort()
    if (this.mirror ?? config.mirror) (await container.make('queuedeck.mirror')).start()
    if (config.cleanup.automatic && !this.once) {
      ;(await container.make('queuedeck.cleanup.service')).start()
    }
    if (!this.once) {
      ;(await container.make('queuedeck.bulk.service')).start()
      ;(await container.make('queuedeck.schedules.service')).start()
      ;(await container.make('queuedeck.flows.service')).start()
    }
    if (config.alerts.automatic && !this.once) {
      ;(await container.make('queuedeck.alerts.service')).start()
    }

    const pool = this.#pool
    takeUncaughtErrors(await container.make('queuedeck.logger'), (error, attempt) =>
      pool.uncaught(error, attempt)
    )
    void this.#pool.ended.then((ending) => this.#leave(ending))
    const starting = this.#pool.start()
    this.logger.info(`waits for Redis (process ${process.pid}); Ctrl-C stops it`)
    await starting
    if (this.#signals === 0) {
      /** With --once it may have ended already. */
      const queues = settings.queues ?? this.#pool.queues
      const concurrency = settings.concurrency ?? config.worker.concurrency
      this.logger.info(`works ${queues.join(', ') || 'all queues'}, ${concurrency} jobs at once`)
    }
  }

  #signalled(): void {
    this.#signals++
    if (this.#signals === 1) {
      const running = this.#pool?.running ?? 0
      this.logger.info(
        running > 0
          ? `stops when the ${running} running job(s) have ended; again to hand them back at once`
          : 'stops'
      )
      this.#pool?.drain()
    } else {
      this.#pool?.abort()
    }
  }

  async #leave({ reason, handedBack, clean, jobs }: WorkerEnding): Promise<void> {
    const parts = [`${reason}: ${jobs} jobs started`]
    if (handedBack > 0) parts.push(`${handedBack} handed back`)
    this.logger.info(parts.join(', '))
    if (!clean) {
      this.exitCode = 1
      this.logger.error(
        'Redis did not take the end of every job in time: their leases run out, and they run again'
      )
    }
    if (reason === 'uncaught error') this.exitCode = 1
    await this.terminate()
    /** Code that ignored its signal would keep the process; its job has been handed back. */
    process.exit(this.exitCode ?? 0)
  }

  #settings(): WorkerSettings {
    const settings: WorkerSettings = {}
    if (this.queues !== undefined) {
      settings.queues = [
        ...new Set(this.queues.flatMap((names) => names.split(',')).map((name) => name.trim())),
      ]
      for (const name of settings.queues) assertQueueName(name)
    }
    if (this.concurrency !== undefined) {
      settings.concurrency = whole(this.concurrency, '--concurrency', 10_000)
    }
    if (this.maxJobs !== undefined) {
      settings.maxJobs = whole(this.maxJobs, '--max-jobs', Number.MAX_SAFE_INTEGER)
    }
    if (this.maxMemory !== undefined) settings.maxMemory = bytes(this.maxMemory)
    if (this.grace !== undefined) settings.grace = toMilliseconds(this.grace, '--grace')
    if (this.once) settings.once = true
    return settings
  }
}

function whole(text: string, option: string, most: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > most) {
    throw new E_INVALID_OPTION([option, `is "${text}": give a whole number from 1 to ${most}`])
  }
  return value
}

/** The framework's parser takes the number and ignores a unit that it does not know. */
function bytes(text: string): number {
  const value = /^\d+(\.\d+)?\s*([kmgt]?b)?$/i.test(text) ? string.bytes.parse(text) : null
  if (value === null || !(value > 0)) {
    throw new E_INVALID_OPTION(['--max-memory', `is "${text}": give a size such as 512mb or 2gb`])
  }
  return value
}
