import { flags } from '@adonisjs/core/ace'
import type { CommandOptions } from '@adonisjs/core/types/ace'
import { InvalidInputException } from '../errors.ts'
import type { OperationDependencies } from '../operations/job_lookup.ts'
import type { Actor } from '../types.ts'
import { visibleText } from '../visible_text.ts'
import { failureOf, print } from './json_answer.ts'
import { leaveRedis } from './leave_redis.ts'
import { StrictCommand } from './strict_command.ts'
import { outliveReaders } from './unread_output.ts'

/** A command whose servers stay silent ends after this long, ms. */
const LONGEST = 14_000

/** Connections of the host that do not close by themselves after the answer are left after this long, ms. */
const LONGEST_GOODBYE = 1_000

/**
 * What the commands that ask or act once share: with `--json` exactly one JSON document on the standard output, also of a
 * failure; exit code 0 only on success.
 */
export abstract class QueueCommand extends StrictCommand {
  static override options: CommandOptions = { startApp: true }

  @flags.boolean({ description: 'Print one JSON document' })
  declare json: boolean

  #late: NodeJS.Timeout | undefined

  /**
   * Does the work.
   *
   * @returns what `--json` prints; people are told by `this.say`
   */
  protected abstract answer(): Promise<unknown>

  override async run(): Promise<void> {
    outliveReaders()
    await this.once()
    await leaveRedis(this.app)
    this.leave()
  }

  /** The process ends soon, whatever still holds it. */
  protected leave(): void {
    setTimeout(() => process.exit(this.exitCode ?? 0), LONGEST_GOODBYE).unref()
  }

  /** Works and answers, and leaves the process to go on. */
  protected async once(): Promise<void> {
    this.#watch()
    /** The answer says what is wrong with Redis, once; a line for each try to connect would be no JSON. */
    const redis = await this.app.container.make('redis')
    redis.doNotLogErrors()
    try {
      const answer = await this.answer()
      if (this.json) print(answer)
    } catch (error) {
      this.#failed(error)
    } finally {
      clearTimeout(this.#late)
    }
  }

  /** Something was done: the servers have as long again for the next answer. */
  protected goesOn(): void {
    this.#late?.refresh()
  }

  /** Asks a person, who may take as long as it takes. */
  protected async asks<T>(ask: () => Promise<T>): Promise<T> {
    clearTimeout(this.#late)
    try {
      return await ask()
    } finally {
      this.#watch()
    }
  }

  /** A line for people; nothing with `--json`. */
  protected say(line: string): void {
    if (!this.json) this.logger.log(line)
  }

  protected async dependencies(): Promise<OperationDependencies> {
    const { container } = this.app
    const records = await container.make('queuedeck.records')
    return { reader: records.reader, transport: await container.make('queuedeck.transport') }
  }

  /** Who acts, for the job's page. */
  protected get actor(): Actor {
    const user = process.env.SUDO_USER ?? process.env.USER ?? 'somebody'
    return { id: user, name: `${user} (command line)`, via: 'command' }
  }

  #watch(): void {
    this.#late = setTimeout(() => {
      this.#failed(new Error(`No answer within ${LONGEST / 1_000} s: are Redis and database up?`))
      process.exit(1)
    }, LONGEST)
  }

  #failed(error: unknown): void {
    this.exitCode = 1
    const failure = failureOf(error)
    if (this.json) return print(failure)
    const { message, field } = failure.errors[0]
    /** It may quote what somebody else wrote: a name must not steer the terminal. */
    this.logger.error(
      visibleText(
        error instanceof InvalidInputException && field ? `${field}: ${message}` : message
      )
    )
  }
}
