import { setTimeout as pause } from 'node:timers/promises'
import { Job, type JobOptions } from '#queuedeck'

/** Ends at once with what it was given. */
export class Echo extends Job<Record<string, unknown>, unknown> {
  static options: JobOptions = { name: 'tests.echo', queue: 'tests' }

  async execute() {
    return this.payload
  }
}

/** Fails with the message given, having logged it. */
export class Fail extends Job<{ message: string }, never> {
  static options: JobOptions = { name: 'tests.fail', queue: 'tests' }

  async execute(): Promise<never> {
    this.log.info(this.payload.message)
    throw new Error(this.payload.message)
  }
}

/** Runs until its signal, or until it is told to hurry, reporting progress. */
export class Walk extends Job<{ steps?: number; ms?: number }, { steps: number }> {
  static options: JobOptions = { name: 'tests.walk', queue: 'tests' }

  /** Ids of jobs whose next step is their last one. */
  static hurried = new Set<string>()

  async execute() {
    const { steps = 1_000, ms = 50 } = this.payload
    for (let step = 1; step <= steps; step++) {
      await pause(ms, undefined, { signal: this.signal })
      if (Walk.hurried.has(this.jobId)) step = steps
      await this.progress((step / steps) * 100, {
        stage: 'Walking',
        done: step,
        total: steps,
        unit: 'steps',
      })
    }
    return { steps }
  }
}

export const CLASSES = [Echo, Fail, Walk]
