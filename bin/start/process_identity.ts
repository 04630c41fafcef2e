import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * A process beyond doubt: ids are used again, but not with the same moment of start.
 */
export type ProcessIdentity = { pid: number; started: string }

/**
 * The identity of a living process, or null. One that has ended and was not collected yet does not live.
 */
export function identify(pid: number): ProcessIdentity | null {
  const started = process.platform === 'linux' ? startOnLinux(pid) : startElsewhere(pid)
  return started ? { pid, started } : null
}

/**
 * Whether exactly this process still lives.
 */
export function lives(known: ProcessIdentity): boolean {
  return identify(known.pid)?.started === known.started
}

/**
 * Asks a process to end, and makes it end when it has not after `patience` milliseconds.
 */
export async function endProcess(known: ProcessIdentity, patience: number): Promise<void> {
  const deadline = performance.now() + patience
  if (lives(known)) signal(known.pid, 'SIGTERM')
  while (lives(known)) {
    if (performance.now() > deadline) signal(known.pid, 'SIGKILL')
    await pause(50)
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/**
 * The fields of /proc/<pid>/stat after the name, which may hold anything: the first is the state, the twentieth the start in ticks
 * since the machine's own start (proc_pid_stat(5)).
 */
function startOnLinux(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? null : fields[19]
  } catch {
    return null
  }
}

function startElsewhere(pid: number): string | null {
  try {
    return (
      execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null
    )
  } catch {
    return null
  }
}
