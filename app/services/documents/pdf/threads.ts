import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { FromThread, ToThread } from './types.ts'

/** A thread that nobody needs ends after this time; one that has read so many documents begins anew. */
const IDLE_MILLISECONDS = 10_000
const MOST_DOCUMENTS = 200

/**
 * What one page, or opening a file, may take: time of a processor and memory. A page of a real manual takes some milliseconds and a few
 * MB. However busy the machine is, a page is never left out for waiting.
 */
export type ThreadLimits = { milliseconds: number; megabytes: number }
const LIMITS: ThreadLimits = { milliseconds: 20_000, megabytes: 512 }

/** How often a thread is looked at: its time, and the memory outside of its heap, which the thread's own limit does not count. */
const LOOK_MILLISECONDS = 100

/** Times its limit by the clock: a thread that does not even say what it took is ended then. */
const LONGEST_WAIT = 20

/**
 * What a thread was asked for needs more time or memory than it may have; the message says which.
 */
export class TakesTooMuch extends Error {
  override name = 'TakesTooMuch'
}

type Running = {
  worker: Worker
  /** Whoever waits for the next answer. */
  waiting?: PromiseWithResolvers<FromThread>
}

/** One thing that a thread was asked for, and the time of a processor that it had used when it was first looked at (milliseconds). */
type Task = { running: Running; usedBefore: number | null; isOver: boolean }

/**
 * A thread that reads PDF files. A file that runs in circles or unpacks to gigabytes costs this thread and nothing else: it
 * is ended, and started again when it is next asked.
 */
export class PdfThread {
  #running: Running | null = null
  #limits: ThreadLimits
  #documents = 0

  constructor(limits: ThreadLimits = LIMITS) {
    this.#limits = limits
  }

  /**
   * Asks for one thing; nothing else may be asked before it is answered.
   *
   * @throws TakesTooMuch, or the signal's reason
   */
  async ask(message: ToThread, signal?: AbortSignal): Promise<FromThread> {
    signal?.throwIfAborted()
    if ('open' in message && ++this.#documents > MOST_DOCUMENTS) this.end()
    const running = this.#running ?? (await this.#start())
    const { milliseconds } = this.#limits
    const late = setTimeout(() => this.end(this.#tooLong()), milliseconds * LONGEST_WAIT)
    const task: Task = { running, usedBefore: null, isOver: false }
    const look = setInterval(() => void this.#look(task), LOOK_MILLISECONDS)
    const aborted = () => this.end(signal!.reason)
    signal?.addEventListener('abort', aborted)
    try {
      const answer = this.#nextAnswer(running)
      const bytes = 'open' in message ? [message.open.buffer as ArrayBuffer] : []
      running.worker.postMessage(message, bytes)
      return await answer
    } finally {
      task.isOver = true
      clearTimeout(late)
      clearInterval(look)
      signal?.removeEventListener('abort', aborted)
    }
  }

  /** Ends it at once, whatever it does. */
  end(reason: Error = new Error('The thread was ended')): void {
    const running = this.#running
    this.#running = null
    this.#documents = 0
    running?.waiting?.reject(reason)
    void running?.worker.terminate()
  }

  /** Loading its code is not limited. */
  async #start(): Promise<Running> {
    /** The application's own loader of TypeScript would take longer than many a document: Node strips the types of these files. */
    const worker = new Worker(new URL('./thread.ts', import.meta.url), {
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.megabytes },
    })
    worker.unref()
    const running: Running = { worker }
    this.#running = running
    const ended = (error: Error) => {
      if (this.#running === running) this.end(error)
    }
    worker.on('message', (answer: FromThread) => running.waiting?.resolve(answer))
    worker.on('error', (error: NodeJS.ErrnoException) =>
      ended(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? this.#tooLarge() : error)
    )
    worker.on('exit', () => ended(new Error('The thread ended by itself')))
    await this.#nextAnswer(running)
    return running
  }

  #nextAnswer(running: Running): Promise<FromThread> {
    running.waiting = Promise.withResolvers<FromThread>()
    return running.waiting.promise.finally(() => (running.waiting = undefined))
  }

  async #look(task: Task): Promise<void> {
    const { worker } = task.running
    const [heap, usage] = await Promise.all([
      worker.getHeapStatistics().catch(() => null),
      worker.cpuUsage().catch(() => null),
    ])
    if (task.isOver || this.#running !== task.running || !heap || !usage) return
    const used = (usage.user + usage.system) / 1_000
    task.usedBefore ??= used
    if (used - task.usedBefore > this.#limits.milliseconds) this.end(this.#tooLong())
    if (heap.external_memory / 1_048_576 > this.#limits.megabytes) this.end(this.#tooLarge())
  }

  #tooLong(): TakesTooMuch {
    return new TakesTooMuch(`takes longer than ${this.#limits.milliseconds / 1_000} s`)
  }

  #tooLarge(): TakesTooMuch {
    return new TakesTooMuch(`takes more than ${this.#limits.megabytes} MB of memory`)
  }
}

/**
 * The threads of this process, one for each processor at most, each lent to one document at a time.
 */
export class PdfThreads {
  #idle: { thread: PdfThread; timer: NodeJS.Timeout }[] = []
  #queue: (() => void)[] = []
  #lent = 0
  #most: number
  #limits: ThreadLimits

  constructor(most: number = Math.min(4, availableParallelism()), limits: ThreadLimits = LIMITS) {
    this.#most = most
    this.#limits = limits
  }

  /**
   * Waits for a free thread.
   *
   * @throws the signal's reason
   */
  async borrow(signal?: AbortSignal): Promise<PdfThread> {
    while (this.#lent >= this.#most) {
      signal?.throwIfAborted()
      const { promise, resolve } = Promise.withResolvers<void>()
      const wake = () => resolve()
      this.#queue.push(wake)
      signal?.addEventListener('abort', wake)
      await promise
      signal?.removeEventListener('abort', wake)
      this.#queue = this.#queue.filter((one) => one !== wake)
    }
    /** Woken by a thread and by its signal at once: the turn is the next one's. */
    if (signal?.aborted) this.#queue.shift()?.()
    signal?.throwIfAborted()
    return this.#lend()
  }

  /** A free thread, if there is one this instant. */
  borrowFree(): PdfThread | null {
    return this.#lent < this.#most && this.#queue.length === 0 ? this.#lend() : null
  }

  giveBack(thread: PdfThread): void {
    this.#lent--
    const timer = setTimeout(() => {
      this.#idle = this.#idle.filter((one) => one.thread !== thread)
      thread.end()
    }, IDLE_MILLISECONDS)
    timer.unref()
    this.#idle.push({ thread, timer })
    this.#queue.shift()?.()
  }

  /** Ends all that are not lent. */
  close(): void {
    for (const { thread, timer } of this.#idle.splice(0)) {
      clearTimeout(timer)
      thread.end()
    }
  }

  #lend(): PdfThread {
    this.#lent++
    const idle = this.#idle.pop()
    clearTimeout(idle?.timer)
    return idle?.thread ?? new PdfThread(this.#limits)
  }
}
