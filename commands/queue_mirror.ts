import { flags } from '@adonisjs/core/ace'
import type { CommandOptions } from '@adonisjs/core/types/ace'
import { StrictCommand } from '../src/console/strict_command.ts'
import { leaveRedis } from '../src/console/leave_redis.ts'
import { outliveReaders } from '../src/console/unread_output.ts'
import { giveWay } from '../src/mirror/give_way.ts'
import { MirrorService } from '../src/mirror/mirror_service.ts'
import { lagOf, readMirrorStatus, type MirrorStatus } from '../src/mirror/mirror_status.ts'
import type { Transport } from '../src/transport/transport.ts'

/** How often a line tells how it goes, when that changed; ms. */
const TELL_EVERY = 10_000

/**
 * Mirrors jobs from Redis into records, in a process of its own: mirrors inside web and worker processes then stand by.
 */
export default class QueueMirror extends StrictCommand {
  static commandName = 'queue:mirror'
  static description = 'Write what happens to jobs into the records, in a process of its own'
  static help = [
    'One mirror leads, others wait to take over within seconds. Web and worker processes mirror by themselves',
    'while no such process runs, so this command is for applications whose mirror shall not share their processes.',
    '',
    '  {{ binaryName }} queue:mirror',
    '  {{ binaryName }} queue:mirror --status --json',
  ]

  static options: CommandOptions = { startApp: true, staysAlive: true }

  @flags.boolean({ description: 'Show how the mirror that runs is doing, and end' })
  declare status: boolean

  @flags.boolean({ description: 'With --status: print one JSON object' })
  declare json: boolean

  #service: MirrorService | undefined
  #timer: NodeJS.Timeout | undefined

  prepare() {
    this.app.listen('SIGINT', () => this.terminate())
    this.app.terminating(async () => {
      clearInterval(this.#timer)
      await this.#service?.stop()
    })
  }

  async run() {
    outliveReaders()
    const { container } = this.app
    const transport = await container.make('queuedeck.transport')
    if (this.status) {
      await this.#tell(transport)
      await leaveRedis(this.app)
      return this.terminate()
    }
    if (this.json) {
      this.#failed('E_STATUS_MISSING', '--json says how to print a status: give --status too')
      return this.terminate()
    }
    giveWay()
    const config = await container.make('queuedeck.config')
    if (config.cleanup.automatic) (await container.make('queuedeck.cleanup.service')).start()
    ;(await container.make('queuedeck.bulk.service')).start()
    ;(await container.make('queuedeck.flows.service')).start()
    if (config.alerts.automatic) (await container.make('queuedeck.alerts.service')).start()
    this.#service = new MirrorService({
      transport,
      records: await container.make('queuedeck.records'),
      config,
      logger: await container.make('queuedeck.logger'),
      dedicated: true,
      onLead: (isLeader) =>
        this.logger.info(isLeader ? 'mirrors jobs into records' : 'another process mirrors, waits'),
    })
    this.#service.start()
    this.logger.info('waits for Redis, the database and the lead; Ctrl-C ends')
    let told = ''
    this.#timer = setInterval(async () => {
      if (!this.#service!.isLeader) return
      const status = await readMirrorStatus(transport).catch(() => null)
      const line = status && summary(status)
      if (line && line !== told) this.logger.info(line)
      told = line ?? told
    }, TELL_EVERY)
  }

  /** With --json one document also of a failure. */
  async #tell(transport: Transport): Promise<void> {
    const redis = await this.app.container.make('redis')
    redis.doNotLogErrors()
    try {
      this.#show(await readMirrorStatus(transport))
    } catch (error) {
      const { message, code = 'E_COMMAND_FAILED' } = error as Error & { code?: string }
      this.#failed(code, message)
    }
  }

  #failed(code: string, message: string): void {
    this.exitCode = 1
    if (this.json) this.logger.log(JSON.stringify({ errors: [{ code, message }] }))
    else this.logger.error(message)
  }

  #show(status: MirrorStatus | null) {
    if (this.json) {
      this.logger.log(JSON.stringify(status))
    } else if (status) {
      this.logger.log(`${status.owner}: ${summary(status)}`)
      for (const [queue, { position, behind, audit, gap }] of Object.entries(status.queues)) {
        const notes = [
          behind > 0 ? `${behind} ms behind` : 'all written',
          ...(audit ? [`being compared with Redis: ${audit}`] : []),
          ...(gap ? [`last gap ${new Date(gap.at).toISOString()}: ${gap.reason}`] : []),
        ]
        this.logger.log(`  ${queue}: ${notes.join(', ')} (${position})`)
      }
    } else {
      this.logger.log('no mirror runs')
    }
    /** For scripts: 0 only while a mirror runs and both sides answer it. */
    if (!status || status.sql.since !== null || status.redis.since !== null) this.exitCode = 1
  }
}

function summary(status: MirrorStatus): string {
  const { counts, queues, sql, redis } = status
  const parts = [
    `${counts.entries} entries of ${Object.keys(queues).length} queues written, lag ${lagOf(status)} ms`,
  ]
  if (counts.repaired + counts.lost > 0)
    parts.push(`${counts.repaired} repaired, ${counts.lost} lost`)
  if (sql.since !== null) parts.push(`the database takes no records: ${sql.error}`)
  if (redis.since !== null) parts.push(`Redis is away: ${redis.error}`)
  return parts.join('; ')
}
