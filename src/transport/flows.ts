import type { RedisClient } from './client.ts'
import {
  EDGES_AT_ONCE,
  readEdges,
  unknownAwaited,
  unknownIn,
  type AwaitedLookup,
  type AwaitedOutcome,
  type FlowEdge,
} from './flow_edges.ts'
import type { JobPlace } from './keys.ts'
import type { Transport } from './transport.ts'
import type { NewTransportJob } from './types.ts'
import { inParts } from '../in_parts.ts'

/** Age at which a list of awaited jobs that is not whole is given up: its producer has died, ms. */
const GIVEN_UP = 30_000

/** Edges that one call settles, and awaited jobs that it looks at. */
const SETTLED_AT_ONCE = 100

/** Awaited jobs that one question names. */
const AT_ONCE = 1_000

/** What one call of the keeper brought: whether there is more, and awaited jobs that Redis does not hold. */
export type FlowLook = { more: boolean; gone: JobPlace[] }

/** The piece of a list of edges that goes with the call which adds or restarts a job; nothing where it waits for nobody. */
export function firstPiece(edges: string[]): string[] {
  if (edges.length === 0) return []
  return [edges.length > EDGES_AT_ONCE ? '1' : '0', ...edges.slice(0, EDGES_AT_ONCE)]
}

/**
 * Jobs that wait for other jobs: what is beside their dispatch.
 */
export class Flows {
  constructor(private transport: Transport) {}

  /**
   * How those jobs ended that several jobs of one dispatch wait for, and that Redis has forgotten. Asked before the first is
   * added: an awaited job that nobody knows keeps all of them out.
   *
   * @throws E_AWAITED_UNKNOWN, E_REDIS_UNAVAILABLE
   */
  async awaitedElsewhere(
    jobs: NewTransportJob[],
    lookup?: AwaitedLookup
  ): Promise<Map<string, AwaitedOutcome> | undefined> {
    const { keys, connections } = this.transport
    const waiting = jobs.filter(({ waitFor }) => waitFor)
    if (waiting.length === 0) return undefined
    const own = new Set(jobs.map(({ queue, id }) => keys.job(queue, id)))
    const named = waiting.flatMap((job) => job.waitFor!.map(({ queue, id }) => keys.job(queue, id)))
    const elsewhere = [...new Set(named)].filter((key) => !own.has(key))
    const gone: string[] = []
    for (const some of inParts(elsewhere, AT_ONCE)) {
      const answers = await connections.produce('the jobs were not dispatched', (client) =>
        some.reduce((batch, key) => batch.hget(key, 'name'), client.pipeline()).exec()
      )
      gone.push(...some.filter((_, at) => answers?.[at]?.[1] === null))
    }
    if (gone.length === 0) return undefined
    const known = await this.outcomesOf(gone, lookup)
    const unknown = gone.filter((key) => !known.has(key))
    if (unknown.length > 0) throw unknownAwaited(keys, unknown)
    return known
  }

  /**
   * Sends what follows after the first piece of a long list. A job whose list cannot be sent whole is cancelled.
   *
   * @param edges  The whole list, as arguments of the scripts.
   * @throws E_AWAITED_UNKNOWN, E_REDIS_UNAVAILABLE
   */
  async sendRest({ queue, id }: JobPlace, edges: string[], lookup?: AwaitedLookup): Promise<void> {
    const { keys } = this.transport
    for (let from = EDGES_AT_ONCE; from < edges.length; from += EDGES_AT_ONCE) {
      let piece = edges.slice(from, from + EDGES_AT_ONCE)
      const more = from + EDGES_AT_ONCE < edges.length ? '1' : '0'
      const send = () =>
        this.#call('flow_edges', `job ${id} was not dispatched`, [
          keys.job(queue, id),
          keys.queue(queue),
          more,
          ...piece,
        ])
      let answer = await send()
      const unknown = unknownIn(answer)
      if (unknown) {
        const known = await this.outcomesOf(unknown, lookup)
        piece = piece.map(
          (edge) => `${edge[0]}${known.get(edge.slice(2)) ?? edge[1]}${edge.slice(2)}`
        )
        answer = await send()
      }
      const still = unknownIn(answer)
      if (still) {
        const error = unknownAwaited(keys, still)
        await this.transport.cancel(queue, id, { by: '', reason: error.message })
        throw error
      }
    }
  }

  /**
   * Lets a blocked job wait again for those of its list that run again; what they came to before counts no more.
   *
   * @param some  Edges to those that run again, as arguments of the scripts.
   * @param all  Gives the whole list, which is mostly not needed.
   * @returns false when it is not blocked any more
   * @throws E_REDIS_UNAVAILABLE, and what `all` throws
   */
  async waitAgain(
    { queue, id }: JobPlace,
    some: string[],
    all: () => Promise<string[]>
  ): Promise<boolean> {
    const { keys } = this.transport
    const send = (how: string, edges: string[], more = '0') => {
      const args = [keys.job(queue, id), keys.queue(queue), id, more, how, ...edges]
      return this.#call('flow_again', `job ${id} does not wait again`, args)
    }
    let answer: unknown
    for (let from = 0; from < some.length; from += EDGES_AT_ONCE) {
      answer = await send('', some.slice(from, from + EDGES_AT_ONCE))
      if (answer !== 'done') break
    }
    if (answer !== 'anew') return answer === 'done'
    const edges = await all()
    for (let from = 0; from < edges.length && answer !== 'gone'; from += EDGES_AT_ONCE) {
      const end = from + EDGES_AT_ONCE
      const more = end < edges.length ? '1' : '0'
      answer = await send(from === 0 ? 'first' : 'anew', edges.slice(from, end), more)
    }
    return answer !== 'gone'
  }

  /**
   * How jobs ended, by their keys; those that nobody knows are absent.
   */
  async outcomesOf(
    jobKeys: string[],
    lookup: AwaitedLookup | undefined
  ): Promise<Map<string, AwaitedOutcome>> {
    const { keys } = this.transport
    const places = jobKeys.map((key) => keys.placeOf(key))
    const found = lookup ? await lookup(places) : new Map<JobPlace, AwaitedOutcome>()
    return new Map(
      jobKeys.flatMap((key, at) => {
        const outcome = found.get(places[at])
        return outcome ? [[key, outcome] as const] : []
      })
    )
  }

  /**
   * Releases jobs whose awaited jobs have ended, where no finish has done it, and looks for ends that nobody told.
   *
   * @param request.said  Jobs of which the caller knows how they ended.
   * @param request.look  How many awaited jobs to look at.
   */
  async keep(
    client: RedisClient,
    request: { look: number; said?: [JobPlace, AwaitedOutcome][] }
  ): Promise<FlowLook> {
    const { keys } = this.transport
    const [more, gone] = (await this.transport.call(client, 'flow_keep', [
      keys.flowTodo,
      keys.queue('~'),
      SETTLED_AT_ONCE,
      request.look,
      GIVEN_UP,
      ...(request.said ?? []).map(([{ queue, id }, outcome]) => outcome + keys.job(queue, id)),
    ])) as [number, string[]]
    return { more: more === 1, gone: gone.map((key) => keys.placeOf(key)) }
  }

  /** Whether anybody waits for anything. One cheap question. */
  async areThere(client: RedisClient): Promise<boolean> {
    const { flowTodo, flowAwaited, flowOpen } = this.transport.keys
    return (await client.exists(flowTodo, flowAwaited, flowOpen)) > 0
  }

  /**
   * The list of a job that is too long for its options, as Redis holds it.
   *
   * @throws E_REDIS_UNAVAILABLE
   */
  async listOf(
    { queue, id }: JobPlace,
    client: RedisClient = this.transport.connections.worker
  ): Promise<FlowEdge[]> {
    const key = this.transport.keys.job(queue, id)
    const pieces = Number(await client.hget(key, 'wn')) || 0
    if (pieces === 0) return []
    const fields = Array.from({ length: pieces }, (_, at) => `wl${at + 1}`)
    const texts = await client.hmget(key, ...fields)
    return texts.flatMap((text) => readEdges(text === null ? [] : JSON.parse(text)))
  }

  #call(
    script: 'flow_edges' | 'flow_again',
    action: string,
    args: (string | number)[]
  ): Promise<unknown> {
    return this.transport.connections.produce(action, (client) =>
      this.transport.call(client, script, args)
    )
  }
}
