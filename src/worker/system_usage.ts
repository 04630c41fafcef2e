import { availableParallelism } from 'node:os'
import { type ELDHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { memoryLimit } from './memory_limit.ts'

/**
 * What a worker process used since the last look.
 */
export type Usage = {
  /** Share of one core, 0 to the number of cores. */
  cpu: number
  cores: number
  /** Bytes resident, and the limit that applies. */
  memory: { used: number; limit: number }
  /** 99th percentile of the event loop's delay, ms. */
  loopDelay: number
}

/**
 * Resolution with which the event loop is watched, ms. The delay that the timer itself has is taken off.
 */
const RESOLUTION = 20

/**
 * Measures this process.
 */
export class SystemUsage {
  #histogram: ELDHistogram = monitorEventLoopDelay({ resolution: RESOLUTION })
  #cpu = process.cpuUsage()
  #at = performance.now()

  constructor() {
    this.#histogram.enable()
  }

  /**
   * What was used since the last call.
   */
  take(): Usage {
    const now = performance.now()
    const { user, system } = process.cpuUsage(this.#cpu)
    const elapsed = Math.max(1, now - this.#at)
    const delay = this.#histogram.count > 0 ? this.#histogram.percentile(99) / 1e6 - RESOLUTION : 0
    this.#cpu = process.cpuUsage()
    this.#at = now
    this.#histogram.reset()
    return {
      cpu: round((user + system) / 1_000 / elapsed),
      cores: availableParallelism(),
      memory: { used: process.memoryUsage.rss(), limit: memoryLimit() },
      loopDelay: round(Math.max(0, delay)),
    }
  }

  stop(): void {
    this.#histogram.disable()
  }
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
