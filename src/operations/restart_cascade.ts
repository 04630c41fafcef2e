import type { Actor, JobView } from '../types.ts'
import { edgesOf } from './job_edges.ts'
import type { OperationDependencies } from './job_lookup.ts'
import { forgotten, recordedRun } from './restart_job.ts'

/** Jobs that are restarted side by side. */
const AT_ONCE = 25

/** Codes of jobs that did not run because of one that they waited for. */
const CAUSED = new Set(['AWAITED_FAILED', 'SKIPPED'])

/**
 * When a job runs again, so do those that did not run because of it, and those behind them: each is blocked again by what it waits for.
 * What ran stays as it is. Answers how many.
 *
 * @throws E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE; what was restarted before stays so
 */
export async function restartBehind(
  dependencies: OperationDependencies,
  id: string,
  actor: Actor
): Promise<number> {
  let restarted = 0
  for (const step of await stepsBehind(dependencies, id)) {
    for (let at = 0; at < step.length; at += AT_ONCE) {
      const done = await Promise.all(
        step.slice(at, at + AT_ONCE).map((job) => restart(dependencies, job, actor))
      )
      restarted += done.filter(Boolean).length
    }
  }
  return restarted
}

async function restart(
  dependencies: OperationDependencies,
  { id, run }: JobView,
  actor: Actor
): Promise<boolean> {
  const job = await dependencies.reader.find(id)
  if (!job || job.run !== run || job.payload === null) return false
  const { outcome } = await dependencies.transport.restart(job.queue, job.transportId, {
    by: actor.name ?? actor.id,
    run: run + 1,
    job: forgotten(job),
    waits: await edgesOf(dependencies, job, { ignoreEnded: false }),
    recordedRun: recordedRun(dependencies, id),
  })
  return outcome === 'done'
}

/** Those that did not run because of the job, in steps: each comes after all that it waits for. */
async function stepsBehind({ reader }: OperationDependencies, id: string): Promise<JobView[][]> {
  const caused = new Map<string, JobView>()
  const behind = new Map<string, string[]>()
  for (let level = [id]; level.length > 0;) {
    const edges = await reader.edges.of('waiting', level)
    const fresh = new Set<string>()
    for (const { waiting, awaited } of edges) {
      behind.set(awaited, [...(behind.get(awaited) ?? []), waiting])
      if (!caused.has(waiting)) fresh.add(waiting)
    }
    const rows = (await reader.rowsById([...fresh])).filter(
      ({ status, error }) => status === 'cancelled' && CAUSED.has(error?.code ?? '')
    )
    for (const row of rows) caused.set(row.id, row)
    level = rows.map((row) => row.id)
  }
  const open = new Map<string, number>()
  for (const [awaited, waiting] of behind) {
    if (!caused.has(awaited)) continue
    for (const other of waiting) {
      if (caused.has(other)) open.set(other, (open.get(other) ?? 0) + 1)
    }
  }
  const steps: JobView[][] = []
  for (let step = [...caused.keys()].filter((job) => !open.has(job)); step.length > 0;) {
    steps.push(step.map((job) => caused.get(job)!))
    const next: string[] = []
    for (const job of step) {
      for (const other of behind.get(job) ?? []) {
        const left = (open.get(other) ?? 0) - 1
        open.set(other, left)
        if (left === 0) next.push(other)
      }
    }
    step = next
  }
  return steps
}
