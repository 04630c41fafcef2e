import { flags } from '@adonisjs/core/ace'
import { setTimeout as pause } from 'node:timers/promises'
import { QueueCommand } from '../src/console/queue_command.ts'
import { InvalidInputException } from '../src/errors.ts'
import { readMirrorStatus } from '../src/mirror/mirror_status.ts'

const EVERY = 2_000

/**
 * Numbers of jobs, workers and the mirror's lag.
 */
export default class QueueStatus extends QueueCommand {
  static override commandName = 'queue:status'
  static override description = 'Show how many jobs there are, who works and how far records lag'

  @flags.boolean({ description: 'Show it again every 2 s, until Ctrl-C' })
  declare watch: boolean

  override async run() {
    if (!this.watch || this.json) return super.run()
    let stopped = false
    process.once('SIGINT', () => (stopped = true))
    process.once('SIGTERM', () => (stopped = true))
    while (!stopped) {
      await this.once()
      await pause(EVERY)
    }
  }

  protected async answer() {
    if (this.watch && this.json) {
      throw new InvalidInputException('--json prints one document: leave out --watch', 'watch')
    }
    const { transport } = await this.dependencies()
    const { reader } = await this.app.container.make('queuedeck.records')
    const jobs = await reader.counts()
    const queues = await transport.depths((await transport.queueNames()).sort())
    const workers = await transport.workers.list()
    const mirror = await readMirrorStatus(transport)

    const total = Object.values(jobs).reduce((sum, count) => sum + count, 0)
    this.say(
      `${total} jobs: ${Object.entries(jobs)
        .map(([status, n]) => `${n} ${status}`)
        .join(', ')}`
    )
    for (const [name, depth] of Object.entries(queues)) {
      const { pending, scheduled, running, paused } = depth
      const note = paused ? ', paused' : ''
      this.say(
        `queue ${name}: ${pending} pending, ${scheduled} scheduled, ${running} running${note}`
      )
    }
    this.say(`${workers.length} workers`)
    this.say(mirror ? `mirror: lag ${mirror.lag} ms` : 'no mirror runs: records stand still')
    return { statistics: { ...jobs, total, activeWorkers: workers.length }, queues, mirror }
  }
}
