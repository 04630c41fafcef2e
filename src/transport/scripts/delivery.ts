import type { RedisClient } from '../client.ts'
import type { Library, Script } from './workshop.ts'

export type ScriptArgument = string | number | Buffer | undefined | null

/** One call of a script: its keys first, then its other arguments. */
export type ScriptCall = { script: string; args: ScriptArgument[] }

/** Anything that sends `call(command, ...args)`: a client, BullMQ's wrapper of one, or a pipeline. */
type Caller = { call(command: string, ...args: ScriptArgument[]): Promise<unknown> }

type Batch = Caller & { exec(): Promise<[Error | null, unknown][] | null> }

/**
 * Brings scripts to Redis and calls them: as functions of one library where Redis has functions (7 and later, Valkey), else
 * by EVALSHA with the same meaning. What Redis lacks (first use, emptied, failed over) is loaded when a call finds it
 * missing, and the call repeated: a missing script has done nothing.
 */
export class ScriptDelivery {
  /** Loads under way, so that a burst of first calls loads once. */
  #loading = new WeakMap<object, Promise<void>>()

  #mode: 'functions' | 'eval'

  constructor(
    readonly library: Library,
    options: { withoutFunctions?: boolean } = {}
  ) {
    this.#mode = options.withoutFunctions ? 'eval' : 'functions'
  }

  /** How scripts reach Redis; `functions` until a server turns out to have none. */
  get mode() {
    return this.#mode
  }

  has(script: string): boolean {
    return this.library.scripts.has(script)
  }

  /** Calls one script. */
  async call(client: unknown, script: string, args: ScriptArgument[]): Promise<unknown> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#send(client as Caller, script, args)
      } catch (error) {
        if (attempt === 3 || !(await this.#mended(client as RedisClient, script, error)))
          throw error
      }
    }
  }

  /**
   * Calls many scripts in one round trip, in order. Each answers for itself: an error or a value.
   */
  async pipeline(client: unknown, calls: ScriptCall[]): Promise<[Error | null, unknown][]> {
    const answers: [Error | null, unknown][] = Array.from({ length: calls.length })
    let open = calls.map((_, index) => index)
    for (let attempt = 0; open.length > 0; attempt++) {
      const replies = await this.#batch(
        (client as RedisClient).pipeline() as unknown as Batch,
        open.map((index) => calls[index])
      )
      replies.forEach((reply, position) => (answers[open[position]] = reply))
      const failed = open.filter((index) => this.#isMissing(answers[index][0]))
      if (failed.length === 0 || attempt === 3) break
      if (
        !(await this.#mended(client as RedisClient, calls[failed[0]].script, answers[failed[0]][0]))
      )
        break
      open = failed
    }
    return answers
  }

  /**
   * Calls many scripts as one transaction. When Redis lacked them, none was executed, and all are repeated.
   */
  async transaction(client: unknown, calls: ScriptCall[]): Promise<[Error | null, unknown][]> {
    for (let attempt = 0; ; attempt++) {
      const replies = await this.#batch((client as RedisClient).multi() as unknown as Batch, calls)
      const failed = replies.findIndex(([error]) => this.#isMissing(error))
      if (failed === -1 || attempt === 3) return replies
      // By EVALSHA single scripts may be missing: load all of them before the transaction runs again.
      await this.#load(
        client as RedisClient,
        calls.map(({ script }) => script)
      )
    }
  }

  /** Removes the libraries of other releases of ours. Only when no process of another release is left. */
  async forgetOtherLibraries(client: RedisClient): Promise<string[]> {
    const removed: string[] = []
    for (const primary of primaries(client)) {
      const listed = (await (primary as unknown as Caller).call(
        'FUNCTION',
        'LIST',
        'LIBRARYNAME',
        'queuedeck_*'
      )) as string[][]
      for (const [, name] of listed) {
        if (name === this.library.name) continue
        await (primary as unknown as Caller).call('FUNCTION', 'DELETE', name)
        removed.push(name)
      }
    }
    return removed
  }

  #send(caller: Caller, script: string, args: ScriptArgument[]): Promise<unknown> {
    const found = this.#script(script)
    if (this.#mode === 'functions') {
      return caller.call('FCALL', this.library.functionName(script), found.keys, ...args)
    }
    return caller.call('EVALSHA', found.sha, found.keys, ...args)
  }

  async #batch(batch: Batch, calls: ScriptCall[]): Promise<[Error | null, unknown][]> {
    for (const { script, args } of calls) void this.#send(batch, script, args)
    return (await batch.exec()) ?? []
  }

  #script(name: string): Script {
    const script = this.library.scripts.get(name)
    if (!script) throw new Error(`There is no script "${name}"`)
    return script
  }

  #isMissing(error: unknown): boolean {
    return /Function not found|^NOSCRIPT|unknown command|NOPERM.*fcall/i.test(
      (error as Error | null)?.message ?? ''
    )
  }

  /** Whether the cause of a failed call was removed, so that it can be repeated. */
  async #mended(client: RedisClient, script: string, error: unknown): Promise<boolean> {
    if (!this.#isMissing(error)) return false
    if (this.#mode === 'functions' && !/Function not found/.test((error as Error).message)) {
      if (!/fcall/i.test((error as Error).message)) return false
      this.#mode = 'eval'
    }
    await this.#load(client, [script])
    return true
  }

  #load(client: RedisClient, scripts: string[]): Promise<void> {
    const pending = this.#loading.get(client)
    if (pending && this.#mode === 'functions') return pending
    const loading = this.#loadOnPrimaries(client, scripts).finally(() =>
      this.#loading.delete(client)
    )
    this.#loading.set(client, loading)
    return loading
  }

  async #loadOnPrimaries(client: RedisClient, scripts: string[]): Promise<void> {
    await Promise.all(
      primaries(client).map((primary) => this.#loadOn(primary as unknown as Caller, scripts))
    )
  }

  async #loadOn(primary: Caller, scripts: string[]): Promise<void> {
    if (this.#mode === 'functions') {
      try {
        await primary.call('FUNCTION', 'LOAD', this.library.text)
        return
      } catch (error) {
        const { message } = error as Error
        if (/already exists/.test(message)) return
        // A server, or a user of one, without functions: everything goes by EVALSHA from now on.
        if (!/unknown command|unknown subcommand|NOPERM/i.test(message)) throw error
        this.#mode = 'eval'
      }
    }
    for (const script of new Set(scripts))
      await primary.call('SCRIPT', 'LOAD', this.#script(script).evalText)
  }
}

function primaries(client: RedisClient): unknown[] {
  const cluster = client as unknown as { isCluster?: boolean; nodes?(role: string): unknown[] }
  return cluster.isCluster && cluster.nodes ? cluster.nodes('master') : [client]
}
