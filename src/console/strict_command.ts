import { BaseCommand } from '@adonisjs/core/ace'
import { Exception } from '@adonisjs/core/exceptions'
import type { ParsedOutput } from '@adonisjs/core/types/ace'
import { cutText } from '../cut_text.ts'

/**
 * A command that refuses more arguments than it takes, as Ace refuses options it does not know: without it `queue:work mails` would
 * work every queue, and `queue:cancel` would cancel the first of two jobs.
 */
export abstract class StrictCommand extends BaseCommand {
  static override validate(parsed: ParsedOutput): void {
    super.validate(parsed)
    if (parsed._.length > 0) throw new SurplusArgument(this.commandName, String(parsed._[0]))
  }
}

class SurplusArgument extends Exception {
  static override code = 'E_SURPLUS_ARGUMENT'

  constructor(command: string, argument: string) {
    super(
      `"${cutText(argument, 80)}" is one argument too many: "${command} --help" says what it takes`
    )
  }

  /** Ace shows others with their stack. */
  render(error: Error, { ui }: { ui: { logger: { error(message: string): void } } }): void {
    ui.logger.error(error.message)
  }
}
