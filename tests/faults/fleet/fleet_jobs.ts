import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Job } from '../../../src/jobs/job.ts'
import type { IsolationCommand } from '../../../src/worker/isolation/isolated_process.ts'
import type { Witness } from '../limits/witness.ts'

/**
 * What a job of the fleet does: how long its code takes, how many of its attempts fail, whether it ignores its signal, and for how
 * long it keeps its process from doing anything else, all ms.
 */
export type Behaviour = {
  ms: number
  user: string
  failures?: number
  deaf?: boolean
  blocks?: number
}

let witness: Witness

/** Who counts the jobs that run in this process. */
export function useWitness(counts: Witness): void {
  witness = counts
}

abstract class Counted extends Job<Behaviour, string> {
  static options = { name: '' }

  async execute() {
    const { ms, user, failures = 0, deaf, blocks = 0 } = this.payload
    const { attempt } = this
    const { name } = (this.constructor as typeof Counted).options
    await witness.enter(this.jobId, attempt, user, name)
    let how = 'aborted'
    try {
      await this.progress(50, { stage: 'half' })
      const until = performance.now() + (attempt === 1 ? blocks : 0)
      while (performance.now() < until);
      await pause(ms, undefined, deaf ? {} : { signal: this.signal })
      how = attempt <= failures ? 'failed' : 'returned'
    } finally {
      await witness.leave(this.jobId, attempt, how)
    }
    if (how === 'failed') throw new Error('planned')
    return `attempt ${attempt}`
  }
}

export class Light extends Counted {
  static options = { name: 'light' }
}

/** The type with a limit. */
export class Heavy extends Counted {
  static options = { name: 'heavy' }
}

/** Runs in a process of its own; the worker is its parent. */
export class Apart extends Counted {
  static options = { name: 'apart', isolated: true }
}

export const FLEET_JOBS = [Light, Heavy, Apart]

/** How a worker of the fleet starts processes for isolated jobs. */
export function apart(address: string, prefix: string, witnessUrl: string): IsolationCommand {
  return {
    file: fileURLToPath(new URL('apart_process.ts', import.meta.url)),
    args: [address, prefix, witnessUrl],
    execArgv: ['--import=./bin/typescript.js'],
  }
}
