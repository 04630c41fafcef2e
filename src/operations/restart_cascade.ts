import { isTerminal } from '../statuses.ts'
import { readError } from '../jobs/failed_reason.ts'
import type { Edge } from '../records/reader/edges.ts'
import type { RedisClient } from '../transport/client.ts'
import { edgeArguments, type FlowEdge } from '../transport/flow_edges.ts'
import type { FlowRestart } from '../transport/flow_restarts.ts'
import type { TransportFacts } from '../transport/transport_audit.ts'
import type { JobView } from '../types.ts'
import { ForgottenJobs } from './forgotten_jobs.ts'
import { edgesOf } from './job_edges.ts'
import { jobOnce, type OperationDependencies } from './job_lookup.ts'
import { forgotten, recordedRun } from './restart_job.ts'
import { inParts } from '../in_parts.ts'

/** Jobs that are restarted side by side. */
const AT_ONCE = 25

/** Codes of jobs that did not run because of one that they waited for. */
const CAUSED = new Set(['AWAITED_FAILED', 'SKIPPED'])

/** A job behind one that runs again, and for which of those that run again it waits. */
type Behind = { job: JobView; restarted: FlowEdge[] }

/** Restarts of others that are taken up at once: one walk through what is behind all of them. */
const TAKEN_UP = 500

/**
 * When jobs run again, so do those that did not run because of them, and those behind these: each is blocked again by what it waits for.
 * One that is still blocked waits for it once more. What ran stays as it is. Doing it again does what is left. Answers how many run again.
 *
 * @throws E_REDIS_UNAVAILABLE, E_DATABASE_UNAVAILABLE, E_MIRROR_BEHIND; what was restarted before stays so
 */
export async function restartBehind(
  dependencies: OperationDependencies,
  causes: FlowRestart[]
): Promise<number> {
  let restarted = 0
  const at = Math.max(...causes.map((cause) => cause.at))
  const { by } = causes[0]
  const ids = causes.map(({ id }) => id)
  for (const step of await stepsBehind(dependencies, ids, at)) {
    for (const some of inParts(step, AT_ONCE)) {
      const gone = new ForgottenJobs(dependencies)
      const done = await Promise.all(
        some.map((behind) => again(dependencies, behind, { by, at, gone }))
      )
      restarted += done.filter(Boolean).length
    }
  }
  await dependencies.transport.flowRestarts.end(causes)
  return restarted
}

/**
 * Goes on with restarts that were left, or whose processes have died. Answers whether there may be more.
 *
 * @throws as `restartBehind`; they are tried again later
 */
export async function takeUpRestarts(
  dependencies: OperationDependencies,
  client: RedisClient
): Promise<boolean> {
  const { transport, reader } = dependencies
  const causes = await transport.flowRestarts.takeUp(client, TAKEN_UP)
  const jobs = new Map(
    (await reader.rowsById(causes.map(({ id }) => id))).map((job) => [job.id, job])
  )
  const begun: FlowRestart[] = []
  const unbegun: FlowRestart[] = []
  for (const cause of causes) {
    const job = jobs.get(cause.id)
    const [fact] = job
      ? (await transport.audit.facts(job.queue, [job.transportId], client)).facts
      : []
    const run = Math.max(job?.run ?? 0, fact?.run ?? 0)
    /** It died before the job itself was restarted, and told nobody that it had been. */
    ;(run > cause.run ? begun : unbegun).push(cause)
  }
  await transport.flowRestarts.end(unbegun)
  for (const some of Map.groupBy(begun, ({ by }) => by).values()) {
    await restartBehind(dependencies, some)
  }
  return causes.length === TAKEN_UP
}

/**
 * Lets a job wait again that is blocked, or restarts one that did not run because of others: answers whether it did that. Redis says which it
 * is, since records may be late.
 */
async function again(
  dependencies: OperationDependencies,
  { job: row, restarted }: Behind,
  { by, at, gone }: Pick<FlowRestart, 'by' | 'at'> & { gone: ForgottenJobs }
): Promise<boolean> {
  const { id, queue, transportId, run } = row
  const { transport, reader } = dependencies
  const { keys, flows } = transport
  const waits = () =>
    edgesOf(dependencies, { id, queue, transportId }, { ignoreEnded: false, gone })
  /** One that is gone again by then is not waited for. */
  const known = new Map(restarted.map((of) => [keys.job(of.queue, of.id), 'f' as const]))
  const some = edgeArguments(keys, restarted, known)
  if (await flows.waitAgain({ queue, id: transportId }, some, waits)) return false
  const [facts] = (await transport.audit.facts(queue, [transportId])).facts
  if (facts && facts.run > run) {
    const newer = await jobOnce(dependencies, row, (now) => now.run >= facts.run)
    if (!(await beganBefore(dependencies, newer, at))) return false
  }
  const job = await reader.find(id)
  if (!job || job.payload === null || !(facts ? isCaused(facts) : job.run === run)) return false
  const { outcome } = await transport.restart(queue, transportId, {
    by,
    run: (facts?.run ?? run) + 1,
    job: forgotten(job),
    waits: await waits(),
    recordedRun: recordedRun(dependencies, id),
  })
  return outcome === 'done'
}

function isCaused({ state, failedReason }: TransportFacts): boolean {
  return state === 'failed' && CAUSED.has(readError(failedReason).code ?? '')
}

/** Whether a run was there before: one that began since was told of what the job comes to now. */
async function beganBefore(
  { reader }: OperationDependencies,
  { id, run, finishedAt }: JobView,
  moment: number
): Promise<boolean> {
  if (finishedAt !== null && finishedAt <= moment) return true
  const first = (await reader.find(id))?.events.find((event) => event.run === run)
  return first !== undefined && first.at <= moment
}

/** Those behind the jobs that are blocked, or did not run because of them, in steps: each comes after all that it waits for. */
async function stepsBehind(
  dependencies: OperationDependencies,
  ids: string[],
  at: number
): Promise<Behind[][]> {
  const { reader } = dependencies
  const meant = new Map<string, JobView>()
  const why = new Map<string, Edge[]>()
  const behind = new Map<string, string[]>()
  const passed = new Set<string>()
  const roots = new Map((await reader.rowsById(ids)).map((row) => [row.id, row]))
  for (let level = ids; level.length > 0;) {
    const edges = await reader.edges.of('waiting', level)
    const fresh = new Set<string>()
    for (const edge of edges) {
      const { waiting, awaited } = edge
      listed(why, waiting).push(edge)
      listed(behind, awaited).push(waiting)
      if (!meant.has(waiting) && !passed.has(waiting)) fresh.add(waiting)
    }
    level = []
    for (const row of await reader.rowsById([...fresh])) {
      const isStopped = row.status === 'cancelled' && CAUSED.has(row.error?.code ?? '')
      const isMeant =
        row.status === 'blocked' || (isStopped && (await beganBefore(dependencies, row, at)))
      /** By a process that died before it came to those behind. */
      const isRestarted = row.run > 1 && !isTerminal(row.status)
      if (isMeant) meant.set(row.id, row)
      else if (isRestarted) passed.add(row.id)
      else continue
      if (!roots.has(row.id)) level.push(row.id)
    }
  }
  const open = new Map<string, number>()
  for (const [awaited, waiting] of behind) {
    if (!meant.has(awaited)) continue
    for (const other of waiting) {
      if (meant.has(other)) open.set(other, (open.get(other) ?? 0) + 1)
    }
  }
  const entry = (waiting: string): Behind => ({
    job: meant.get(waiting)!,
    restarted: why.get(waiting)!.flatMap(({ awaited, onFailure }) => {
      const row = roots.get(awaited) ?? meant.get(awaited)
      return row ? [{ queue: row.queue, id: row.transportId, onFailure }] : []
    }),
  })
  const steps: Behind[][] = []
  for (let step = [...meant.keys()].filter((job) => !open.has(job)); step.length > 0;) {
    steps.push(step.map(entry))
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

/** The list of a key, made when there is none. */
function listed<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? []
  lists.set(key, list)
  return list
}
