import { isTerminal } from '../statuses.ts'
import { readError } from '../jobs/failed_reason.ts'
import type { RedisClient } from '../transport/client.ts'
import type { FlowRestart } from '../transport/flow_restarts.ts'
import type { JobView } from '../types.ts'
import { edgesOf } from './job_edges.ts'
import type { OperationDependencies } from './job_lookup.ts'
import { forgotten, recordedRun } from './restart_job.ts'

/** Jobs that are restarted side by side. */
const AT_ONCE = 25

/** Codes of jobs that did not run because of one that they waited for. */
const CAUSED = new Set(['AWAITED_FAILED', 'SKIPPED'])

/** Restarts of dead processes that are taken up at once. */
const TAKEN_UP = 5

/**
 * When a job runs again, so do those that did not run because of it, and those behind them: each is blocked again by what it waits for.
 * One that is still blocked waits for it once more. What ran stays as it is. Doing it again does what is left. Answers how many run again.
 *
 * @throws E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE; what was restarted before stays so
 */
export async function restartBehind(
  dependencies: OperationDependencies,
  cause: FlowRestart
): Promise<number> {
  let restarted = 0
  const { steps, blocked } = await jobsBehind(dependencies, cause)
  for (const step of steps) {
    restarted += await sideBySide(step, (job) => restart(dependencies, job, cause.by))
  }
  /** Afterwards: they may wait for those that have just been restarted. */
  restarted += await sideBySide(blocked, (job) => waitAgain(dependencies, job, cause.by))
  await dependencies.transport.flowRestarts.end(cause)
  return restarted
}

/** Answers for how many of them it was done. */
async function sideBySide(jobs: JobView[], act: (job: JobView) => Promise<boolean>) {
  let done = 0
  for (let at = 0; at < jobs.length; at += AT_ONCE) {
    const answers = await Promise.all(jobs.slice(at, at + AT_ONCE).map(act))
    done += answers.filter(Boolean).length
  }
  return done
}

/**
 * Goes on with restarts whose processes have died.
 *
 * @throws as `restartBehind`; they are tried again later
 */
export async function takeUpRestarts(
  dependencies: OperationDependencies,
  client: RedisClient
): Promise<void> {
  const { transport, reader } = dependencies
  for (const cause of await transport.flowRestarts.takeUp(client, TAKEN_UP)) {
    const job = await reader.find(cause.id)
    const [fact] = job
      ? (await transport.audit.facts(job.queue, [job.transportId], client)).facts
      : []
    const run = Math.max(job?.run ?? 0, fact?.run ?? 0)
    /** It died before the job itself was restarted, and told nobody that it had been. */
    if (run > cause.run) await restartBehind(dependencies, cause)
    else await transport.flowRestarts.end(cause)
  }
}

async function restart(
  dependencies: OperationDependencies,
  { id, run }: JobView,
  by: string
): Promise<boolean> {
  const job = await dependencies.reader.find(id)
  if (!job || job.run !== run || job.payload === null) return false
  const { outcome } = await dependencies.transport.restart(job.queue, job.transportId, {
    by,
    run: run + 1,
    job: forgotten(job),
    waits: await edgesOf(dependencies, job, { ignoreEnded: false }),
    recordedRun: recordedRun(dependencies, id),
  })
  return outcome === 'done'
}

/** Answers whether the job runs again because it had ended meanwhile, or its record was late: then it did not run because of others. */
async function waitAgain(
  dependencies: OperationDependencies,
  job: JobView,
  by: string
): Promise<boolean> {
  const { transport } = dependencies
  const { queue, transportId: id } = job
  const edges = await edgesOf(dependencies, job, { ignoreEnded: false })
  if (await transport.flows.waitAgain({ queue, id }, edges)) return false
  const [facts] = (await transport.audit.facts(queue, [id])).facts
  const isCaused = facts?.state === 'failed' && CAUSED.has(readError(facts.failedReason).code ?? '')
  return isCaused && restart(dependencies, job, by)
}

/** Those that did not run because of the job, in steps: each comes after all that it waits for. And those that are blocked by it still. */
async function jobsBehind(
  { reader }: OperationDependencies,
  { id, at }: FlowRestart
): Promise<{ steps: JobView[][]; blocked: JobView[] }> {
  const blocked = new Map<string, JobView>()
  const caused = new Map<string, JobView>()
  const behind = new Map<string, string[]>()
  const passed = new Set<string>()
  for (let level = [id]; level.length > 0;) {
    const edges = await reader.edges.of('waiting', level)
    const fresh = new Set<string>()
    for (const { waiting, awaited } of edges) {
      behind.set(awaited, [...(behind.get(awaited) ?? []), waiting])
      if (!caused.has(waiting) && !passed.has(waiting)) fresh.add(waiting)
    }
    level = []
    for (const row of await reader.rowsById([...fresh])) {
      if (row.status === 'blocked') blocked.set(row.id, row)
      const isCaused = row.status === 'cancelled' && CAUSED.has(row.error?.code ?? '')
      const isMeant = isCaused && row.finishedAt !== null && row.finishedAt <= at
      /** By a process that died before it came to those behind. */
      const isRestarted = row.run > 1 && !isTerminal(row.status)
      if (isMeant) caused.set(row.id, row)
      else if (isRestarted) passed.add(row.id)
      else continue
      level.push(row.id)
    }
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
  return { steps, blocked: [...blocked.values()] }
}
