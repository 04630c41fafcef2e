import { readFileSync } from 'node:fs'

/** In which Linux tells the time of processors: a hundredth of a second, on every machine that Node runs on. */
const TICK = 10

/**
 * What another process of this machine uses: CPU time since its beginning, ms, and bytes resident.
 */
export type ProcessUsage = { cpu: number; memory: number }

/**
 * What another process uses, as Linux tells; undefined once it has ended, and on systems that do not tell.
 */
export function processUsage(pid: number): ProcessUsage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const memory = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    /** Its name may contain anything, also what looks like the end of it. */
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [user, system] = fields.slice(11, 13).map(Number)
    return { cpu: (user + system) * TICK, memory: Number(memory?.[1] ?? 0) * 1_024 }
  } catch {
    return undefined
  }
}
