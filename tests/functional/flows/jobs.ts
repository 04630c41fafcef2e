import { Job } from '../../../src/jobs/job.ts'
import type { JobOptions } from '../../../src/types.ts'

/** Names of jobs in the order in which their code began. */
export const ran: string[] = []

const held = new Map<string, () => void>()

/** Lets jobs go that were told to hold. */
export function letGo(...names: string[]): void {
  for (const name of names) held.get(name)?.()
}

/** Notes that it ran; holds until it is let go, and fails, where it is told to. */
export class Step extends Job<{ name: string; fail?: boolean; hold?: boolean }, { from: string }> {
  static options: JobOptions = { name: 'flows.step' }

  async execute() {
    const { name, fail, hold } = this.payload
    if (hold) {
      const going = new Promise<void>((resolve) => {
        held.set(name, resolve)
        this.signal.addEventListener('abort', () => resolve())
      })
      ran.push(name)
      await going
    } else {
      ran.push(name)
    }
    if (fail) throw new Error('as told')
    return { from: name }
  }
}
