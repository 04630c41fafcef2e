import { args, BaseCommand, flags } from '@adonisjs/core/ace'
import { stubsRoot } from '../stubs/main.ts'

/**
 * Writes a new job class.
 */
export default class MakeJob extends BaseCommand {
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
    const codemods = await this.createCodemods()
    codemods.overwriteExisting = this.force === true
    await codemods.makeUsingStub(stubsRoot, 'make/job.stub', {
      entity,
      queue: this.queue,
      flags: this.parsed.flags,
    })
  }
}
