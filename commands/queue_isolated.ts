import { BaseCommand } from '@adonisjs/core/ace'
import type { CommandOptions } from '@adonisjs/core/types/ace'
import { outliveReaders } from '../src/console/unread_output.ts'
import { IsolatedJobs } from '../src/worker/isolation/isolated_jobs.ts'

/**
 * Boots the application in a process of its own for the isolated jobs of a worker.
 */
export default class QueueIsolated extends BaseCommand {
  static commandName = 'queue:isolated'
  static description = 'Run isolated jobs for a worker, which starts this by itself'
  static help = [
    'queue:work starts one such process for each job that runs at once and whose class says "isolated: true".',
    'There is nothing for a person to start here.',
  ]

  static options: CommandOptions = { startApp: true, staysAlive: true }

  #jobs: IsolatedJobs | undefined

  prepare() {
    /** A service manager signals all processes at once: the worker decides how long what runs here may go on. */
    this.app.terminating(() => this.#jobs?.ended)
  }

  async run() {
    if (!IsolatedJobs.wanted) {
      this.logger.error('queue:work starts this command by itself: start that')
      this.exitCode = 1
      return this.terminate()
    }
    outliveReaders()
    process.on('SIGTERM', () => {})
    process.on('SIGINT', () => {})
    const { container } = this.app
    const { registry } = await container.make('queuedeck')
    this.#jobs = new IsolatedJobs({
      registry,
      container,
      logger: await container.make('queuedeck.logger'),
    })
    await this.#jobs.start()
    await this.#jobs.ended
    await this.terminate()
    /** Whatever its jobs left open shall not keep it. */
    process.exit()
  }
}
