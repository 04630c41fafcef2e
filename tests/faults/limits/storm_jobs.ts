import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Job } from '../../../src/jobs/job.ts'
import type { IsolationCommand } from '../../../src/worker/isolation/isolated_process.ts'
import type { Witness } from './witness.ts'

/**
 * How a job of the storm behaves: how long its code takes (further attempts may take another time), how many of its attempts fail,
 * whether it ignores its signal.
 */
export type Behaviour = {
  ms: number
  again?: number
  user: string
  failures?: number
  deaf?: boolean
}

let witness: Witness

/** Who counts the jobs that run in this process. */
export function useWitness(counts: Witness): void {
  witness = counts
}

abstract class Counted extends Job<Behaviour, string> {
  async execute() {
    const { ms, again = ms, user, failures = 0, deaf } = this.payload
    const { name } = (this.constructor as typeof Counted).options
    const { attempt } = this
    await witness.enter(this.jobId, attempt, user, name)
    try {
      await pause(attempt === 1 ? ms : again, undefined, deaf ? {} : { signal: this.signal })
    } finally {
      await witness.leave(this.jobId, attempt)
    }
    if (attempt <= failures) throw new Error('planned')
    return `attempt ${attempt}`
  }

  static options = { name: '' }
}

export class Light extends Counted {
  static options = { name: 'light' }
}

/** The type with a limit. */
export class Heavy extends Counted {
  static options = { name: 'heavy' }
}

/** Runs in a process of its own, and has a limit too. */
export class Apart extends Counted {
  static options = { name: 'apart', isolated: true }
}

export const STORM_JOBS = [Light, Heavy, Apart]

/** How a worker of the storm starts processes for isolated jobs. */
export function apart(lab: { url: string; prefix: string }): IsolationCommand {
  return {
    file: fileURLToPath(new URL('storm_apart.ts', import.meta.url)),
    args: [lab.url, lab.prefix],
    execArgv: ['--import=./bin/typescript.js'],
  }
}
