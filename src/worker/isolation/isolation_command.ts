import { existsSync } from 'node:fs'
import type { IsolationCommand } from './isolated_process.ts'

/**
 * How a process that runs isolated jobs is started: the way that this one was, with another Ace command. A debugger's port is this
 * process's own.
 *
 * @param ace the application's `ace.js`; where it has none, what this process was started with
 */
export function isolationCommand(ace: string): IsolationCommand {
  return {
    file: existsSync(ace) ? ace : process.argv[1],
    args: ['queue:isolated'],
    execArgv: process.execArgv.filter((argument) => !argument.startsWith('--inspect')),
  }
}
