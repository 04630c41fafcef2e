import { flags } from '@adonisjs/core/ace'
import { setTimeout as pause } from 'node:timers/promises'
import { plain } from '../src/console/job_output.ts'
import { QueueCommand } from '../src/console/queue_command.ts'
import { outliveReaders } from '../src/console/unread_output.ts'
import { watch } from '../src/console/watch/watch.ts'
import { InvalidInputException } from '../src/errors.ts'
import { lagOf, readMirrorStatus } from '../src/mirror/mirror_status.ts'
import { isSuspect } from '../src/transport/worker_times.ts'

const EVERY = 2_000

/**
 * Numbers of jobs, workers and the mirror's lag.
 */
export default class QueueStatus extends QueueCommand {
  static override commandName = 'queue:status'
  static override description = 'Show how many jobs there are, who works and how far records lag'
  static override help = [
    'With --watch the terminal shows queues, running jobs, workers and open alerts live, until q or Ctrl-C. Where the output is no terminal, or',
    'TERM says "dumb", the numbers are printed again every two seconds instead. NO_COLOR turns colours off.',
    '',
    '  {{ binaryName }} queue:status --json',
    '  {{ binaryName }} queue:status --watch',
  ]

  @flags.boolean({ description: 'Show it live, until q or Ctrl-C' })
  declare watch: boolean

  override async run() {
    if (!this.watch || this.json) return super.run()
    const stopping = new AbortController()
    outliveReaders().addEventListener('abort', () => stopping.abort(), { once: true })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => stopping.abort())
    }
    const isScreen = process.stdout.isTTY && process.stdin.isTTY && process.env.TERM !== 'dumb'
    if (isScreen) await this.#live(stopping.signal)
    else await this.#again(stopping.signal)
    this.leave()
  }

  async #live(signal: AbortSignal) {
    const { container } = this.app
    const redis = await container.make('redis')
    redis.doNotLogErrors()
    const { reader } = await container.make('queuedeck.records')
    await watch({
      transport: await container.make('queuedeck.transport'),
      reader,
      alerts: await container.make('queuedeck.alerts'),
      output: process.stdout,
      input: process.stdin,
      colours: !process.env.NO_COLOR,
      signal,
    })
  }

  async #again(signal: AbortSignal) {
    while (!signal.aborted) {
      await this.once()
      await pause(EVERY, undefined, { signal }).catch(() => {})
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
        `queue ${plain(name)}: ${pending} pending, ${scheduled} scheduled, ${running} running${note}`
      )
    }
    const active = workers.filter((worker) => !isSuspect(worker)).length
    const silent = workers.length - active
    this.say(
      `${active === 1 ? '1 worker' : `${active} workers`}${silent > 0 ? `, and ${silent} that may be gone` : ''}`
    )
    this.say(mirror ? `mirror: lag ${lagOf(mirror)} ms` : 'no mirror runs: records stand still')
    return { statistics: { ...jobs, total, activeWorkers: active }, queues, mirror }
  }
}
