import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Starts a script of this folder in a process of its own; it ends when its parent does. */
export function startChild(script: string, args: (string | number)[]): ChildProcess {
  return fork(fileURLToPath(new URL(script, import.meta.url)), args.map(String), {
    execArgv: ['--import=./bin/typescript.js'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

/** Ends a process by taking its channel away. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.disconnect()
  await ended
}
