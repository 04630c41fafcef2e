import { readFileSync } from 'node:fs'
import { BaseCommand } from '@adonisjs/core/ace'
import { Exception } from '@adonisjs/core/exceptions'
import type { ParsedOutput } from '@adonisjs/core/types/ace'
import { cutText } from '../cut_text.ts'
import { failureOf, print } from './json_answer.ts'

/**
 * A command that refuses more arguments than it takes, as Ace refuses options it does not know: without it `queue:work mails` would
 * work every queue, and `queue:cancel` would cancel the first of two jobs. Nor does it take switches whose value is neither true nor false.
 */
export abstract class StrictCommand extends BaseCommand {
  /** Ace makes numbers of what a list holds: of the tag "1.10" it would make 1.1, of the user "0x10" 16. */
  static override getParserOptions(...options: Parameters<typeof BaseCommand.getParserOptions>) {
    const parser = super.getParserOptions(...options)
    const { flagsParserOptions: flags } = parser
    flags.string.push(...flags.array)
    return parser
  }

  /** What is said of wrong options is for people; with `--json` there is an answer for programs too. */
  static override validate(parsed: ParsedOutput): void {
    try {
      super.validate(parsed)
      assertStrict(this, parsed)
    } catch (error) {
      if (parsed.flags.json === true) print(failureOf(error))
      throw error
    }
  }
}

function assertStrict(
  command: Pick<typeof BaseCommand, 'commandName' | 'flags'>,
  parsed: ParsedOutput
): void {
  if (parsed._.length > 0) {
    const argument = cutText(String(parsed._[0]), 80)
    throw new Refused(
      'E_SURPLUS_ARGUMENT',
      `"${argument}" is one argument too many: "${command.commandName} --help" says what it takes`
    )
  }
  for (const argument of givenArguments()) {
    const [, name, value] = /^--([^=]+)=(.*)$/s.exec(argument) ?? []
    if (name === undefined || value === 'true' || value === 'false') continue
    if (!command.flags.some((flag) => flag.type === 'boolean' && flag.flagName === name)) continue
    throw new Refused(
      'E_SWITCH_VALUE',
      `"--${name}" takes no value, and so none like "${cutText(value, 80)}": say "--${name}" or "--no-${name}"`
    )
  }
}

/**
 * What the process was started with. Ace reads every value of a switch but `true` as off, `--dry-run=yes` too, and hands on no more than that;
 * the arguments of Node itself have been taken away by then, so Linux is asked.
 */
function givenArguments(): string[] {
  try {
    return readFileSync('/proc/self/cmdline', 'utf8').split('\0')
  } catch {
    return process.argv
  }
}

class Refused extends Exception {
  constructor(code: string, message: string) {
    super(message, { code })
  }

  /** Ace shows others with their stack. */
  render(error: Error, { ui }: { ui: { logger: { error(message: string): void } } }): void {
    ui.logger.error(error.message)
  }
}
