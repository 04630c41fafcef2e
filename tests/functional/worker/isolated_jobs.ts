import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Job } from '../../../src/jobs/job.ts'
import type { JobOptions } from '../../../src/types.ts'
import type { IsolationCommand } from '../../../src/worker/isolation/isolated_process.ts'

type Payload = {
  does: keyof typeof DEEDS
  ms?: number
  bytes?: number
  attempts?: number
  hook?: string
}

/** What isolated jobs of the tests do, in their own process. */
const DEEDS = {
  async tell(job: Isolated) {
    await job.progress(40, { stage: 'Telling' })
    job.log.warn('line of attempt %d', job.attempt)
    return { pid: process.pid, payload: job.payload, attempt: job.attempt, run: job.run }
  },
  /** Goes on where an earlier attempt was; every attempt ends its process but the third. */
  async remember(job: Isolated) {
    const seen = [...((job.checkpoints.seen as number[] | undefined) ?? []), job.attempt]
    await job.checkpoint('seen', seen)
    if (job.attempt < 3) process.kill(process.pid, 'SIGKILL')
    const refused = await job.checkpoint('large', 'x'.repeat(300_000)).catch(({ code }) => code)
    return { seen: job.checkpoints.seen, refused }
  },
  async dispatch() {
    return (await Isolated.dispatch({ does: 'tell' })).jobId
  },
  /** Says that it begins, and then never gives the event loop a turn. */
  async spin(job: Isolated) {
    await job.progress(1)
    await pause(50)
    const end = performance.now() + job.payload.ms!
    while (performance.now() < end);
    return process.pid
  },
  /** Keeps so much memory and a processor, and sees no signal. */
  async hog(job: Isolated) {
    const kept = Buffer.alloc(job.payload.bytes!, 1)
    await job.progress(1)
    const end = performance.now() + job.payload.ms!
    while (performance.now() < end);
    return kept.length
  },
  async obey(job: Isolated) {
    await pause(60_000, undefined, { signal: job.signal })
  },
  throw() {
    throw Object.assign(new Error('went wrong there'), { code: 'E_THERE' })
  },
  throwNull() {
    throw null
  },
  exit() {
    process.exit(3)
  },
  kill() {
    process.kill(process.pid, 'SIGKILL')
    return pause(10_000)
  },
  async uncaught() {
    setImmediate(() => {
      throw new Error('nobody caught this')
    })
    await pause(10_000)
  },
  noise() {
    process.send!({ some: 'message of a library' })
    process.send!({ queuedeck: 'ended' })
    process.send!('text')
    return 'quiet again'
  },
  large() {
    return 'x'.repeat(8_000_000)
  },
  /** Reports, logs and throws far too much. */
  async much(job: Isolated) {
    for (let n = 1; n <= 10_000; n++) await job.progress(n / 100)
    const line = 'x'.repeat(100_000)
    for (let n = 0; n < 1_000; n++) job.log.info(line)
    throw new Error('e'.repeat(5_000_000))
  },
  map() {
    return new Map()
  },
} as const

export class Isolated extends Job<Payload, unknown> {
  static options: JobOptions = { name: 'isolated', isolated: true }
  #ran = false

  async execute() {
    this.#ran = true
    return (DEEDS[this.payload.does] as (job: Isolated) => unknown)(this)
  }

  async failed(error: Error & { code?: string }) {
    if (this.payload.hook === undefined) return
    const { hook } = this.payload
    if (hook === 'for ever') return pause(1_000_000)
    const told = { ran: this.#ran, message: error.message, code: error.code, pid: process.pid }
    await Isolated.dispatch({ does: 'tell', hook: JSON.stringify(told) }).toQueue(hook)
  }
}

/** Starts the program beside this one for a lab's isolated jobs. */
export function isolationOf(lab: { url: string; prefix: string }): IsolationCommand {
  return {
    file: fileURLToPath(new URL('isolated_process.ts', import.meta.url)),
    args: [lab.url, lab.prefix],
    execArgv: ['--import=./bin/typescript.js'],
  }
}
