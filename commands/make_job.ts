import { args, flags } from '@adonisjs/core/ace'
import string from '@adonisjs/core/helpers/string'
import { StrictCommand } from '../src/console/strict_command.ts'
import { checkQueueName } from '../src/jobs/names.ts'
import { stubsRoot } from '../stubs/main.ts'

/** Names that the written file uses for something else: a class of such a name does not compile. */
const USED = new Set(['Job', 'JobOptions', 'Payload', 'Result', 'Error', 'Promise'])

/**
 * Writes a new job class.
 */
export default class MakeJob extends StrictCommand {
  static commandName = 'make:job'
  static description = 'Create a new job class in app/jobs'

  @args.string({ description: 'Name of the job, e.g. send_invoice or mail/send_invoice' })
  declare name: string

  @flags.string({ description: 'Queue that the job goes to' })
  declare queue?: string

  @flags.boolean({ description: 'Overwrite a file that exists', alias: 'f' })
  declare force: boolean

  async run() {
    const entity = this.app.generators.createEntity(this.name)
    const problem = this.#problem(entity.name)
    if (problem !== null) {
      this.logger.error(problem)
      this.exitCode = 1
      return
    }
    const codemods = await this.createCodemods()
    codemods.overwriteExisting = this.force === true
    await codemods.makeUsingStub(stubsRoot, 'make/job.stub', {
      entity,
      queue: this.queue?.replace(/[\\']/g, '\\$&'),
      flags: this.parsed.flags,
    })
  }

  /** Why no class can be written, in a file that workers could load; null when one can. */
  #problem(name: string): string | null {
    const typed = this.name.replace(/\.[cm]?[jt]s$/, '')
    const parts = typed.split(/[./]+/).filter(Boolean)
    /** Ace takes what stands after it for the extension of a file and leaves it out. */
    if (typed.includes('.') && parts.length > 0) {
      return `"${this.name}" has a dot, which no name of a class can hold: write ${parts.join('/')} for a job of type ${parts.join('.')}`
    }
    const className = string.create(name).removeSuffix('job').pascalCase().toString()
    if (!/^\p{L}/u.test(className)) {
      return `"${this.name}" gives no class a name: begin it with a Latin letter, e.g. send_invoice`
    }
    if (USED.has(className)) {
      return `"${this.name}" gives the class the name ${className}, which its file uses for something else: say what it does, e.g. send_${name.toLowerCase()}`
    }
    try {
      if (this.queue !== undefined) checkQueueName(this.queue)
      return null
    } catch (error) {
      return (error as Error).message
    }
  }
}
