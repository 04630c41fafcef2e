import { availableParallelism } from 'node:os'
import { type ELDHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { memoryLimit } from './memory_limit.ts'
import { processUsage } from './process_usage.ts'

/**
 * What a worker used since the last look, with its processes for isolated jobs where the system tells what they use (Linux).
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
 * Measures this process and those that it started for isolated jobs.
 */
export class SystemUsage {
  #histogram: ELDHistogram = monitorEventLoopDelay({ resolution: RESOLUTION })
  #cpu = process.cpuUsage()
  #at = performance.now()
  /** CPU time of the other processes at the last look, ms. */
  #others = new Map<number, number>()

  /**
   * @param processes ids of the processes for isolated jobs that are there
   */
  constructor(private processes: () => Iterable<number> = () => []) {
    this.#histogram.enable()
  }

  /** Bytes resident, now. */
  memory(): number {
    let memory = process.memoryUsage.rss()
    for (const pid of this.processes()) memory += processUsage(pid)?.memory ?? 0
    return memory
  }

  /**
   * What was used since the last call.
   */
  take(): Usage {
    const now = performance.now()
    const { user, system } = process.cpuUsage(this.#cpu)
    const elapsed = Math.max(1, now - this.#at)
    const delay = this.#histogram.count > 0 ? this.#histogram.percentile(99) / 1e6 - RESOLUTION : 0
    const others = this.#takeOthers()
    this.#cpu = process.cpuUsage()
    this.#at = now
    this.#histogram.reset()
    return {
      cpu: round(((user + system) / 1_000 + others) / elapsed),
      cores: availableParallelism(),
      memory: { used: this.memory(), limit: memoryLimit() },
      loopDelay: round(Math.max(0, delay)),
    }
  }

  stop(): void {
    this.#histogram.disable()
  }

  /** CPU time of the other processes since the last look, ms. What one used that has ended since is not known any more. */
  #takeOthers(): number {
    const before = this.#others
    this.#others = new Map()
    let used = 0
    for (const pid of this.processes()) {
      const cpu = processUsage(pid)?.cpu
      if (cpu === undefined) continue
      this.#others.set(pid, cpu)
      used += Math.max(0, cpu - (before.get(pid) ?? 0))
    }
    return used
  }
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
