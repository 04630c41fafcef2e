import { AsyncLocalStorage } from 'node:async_hooks'
import type { ApplicationService } from '@adonisjs/core/types'
import { stopwatch } from './stopwatch.ts'

/** How a command ended, as its process would have: exit code, and what it wrote. */
export type CommandResult = {
  code: number
  /** Both streams. */
  output: string
  stdout: string
  stderr: string
  /** Milliseconds until it ended. */
  took: number
}

type Run = { out: string; err: string; all: string; exit(code: number): void }

/** The command on whose behalf code runs: it writes into the command's own output and ends nothing but the command. */
const run = new AsyncLocalStorage<Run>()
let isPrepared = false

/**
 * Runs Ace commands inside of this process, with a booted application: much faster than a process for each. Several may run at
 * once. It is no terminal, nothing is coloured, and `process.exit` ends the command alone. What only a process shows (that it ends
 * by itself, its exit code, signals) is for `runAce`.
 */
export async function commandLine(
  app: ApplicationService
): Promise<(args: string[]) => Promise<CommandResult>> {
  prepare()
  const ace = await app.container.make('ace')
  await ace.boot()
  ace.ui.switchMode('silent')
  return async ([name, ...args]) => {
    const started = stopwatch()
    const texts = { out: '', err: '', all: '' }
    const code = await new Promise<number>((resolve, reject) => {
      run.run(Object.assign(texts, { exit: resolve }), () => {
        ace.exec(name, args).then(({ exitCode }) => resolve(exitCode ?? 0), reject)
      })
    })
    const took = started()
    return { code, output: texts.all, stdout: texts.out, stderr: texts.err, took }
  }
}

function prepare(): void {
  if (isPrepared) return
  isPrepared = true
  for (const [stream, name] of [
    [process.stdout, 'out'],
    [process.stderr, 'err'],
  ] as const) {
    const write = stream.write
    stream.write = function (this: unknown, ...given: any[]) {
      const current = run.getStore()
      if (!current) return Reflect.apply(write, stream, given)
      const text = typeof given[0] === 'string' ? given[0] : Buffer.from(given[0]).toString()
      current[name] += text
      current.all += text
      const done = given.find((one) => typeof one === 'function')
      if (done) process.nextTick(done)
      return true
    }
  }
  for (const stream of [process.stdin, process.stdout]) {
    const isTTY = stream.isTTY
    const get = () => (run.getStore() ? undefined : isTTY)
    Object.defineProperty(stream, 'isTTY', { configurable: true, get })
  }
  const exit = process.exit
  process.exit = ((code?: number) => {
    const current = run.getStore()
    if (!current) return exit(code)
    current.exit(code ?? 0)
  }) as typeof process.exit
}
