/**
 * A queue that asks for slots. The pool makes one for each queue.
 */
export type SlotHolder = {
  /** Slots that this queue has now: its running jobs and claims under way. */
  held: number
}

type Waiter = {
  holder: SlotHolder
  since: number
  grant: (granted: boolean) => void
}

/**
 * The concurrency of one worker process, shared by all its queues: a job is claimed only when a slot is there for it, so it
 * starts running the moment it is claimed. A slot that becomes free goes to the queue that has the fewest.
 */
export class Slots {
  #free: number

  /** Queues that wait for a slot, in the order they came. There are as many as queues at most, so looking at all is cheap. */
  #waiters: Waiter[] = []

  #open = true

  /** Nothing is claimed for the time being. */
  #paused = false

  /** Claims that may still be made; `undefined` is no limit. */
  #claimsLeft: number | undefined

  /** Claims that were allowed and are under way: each may still bring a job or none. */
  #claimsOpen = 0

  /** Called once when the last claim that was allowed has become a job. */
  #exhausted: (() => void) | undefined

  /**
   * @param size slots there are
   * @param turn how long a queue with about its fair share keeps a slot before another gets its turn, ms
   * @param now a clock in ms that never goes back
   */
  constructor(
    readonly size: number,
    private turn = 20,
    private now: () => number = () => performance.now()
  ) {
    this.#free = size
  }

  get free(): number {
    return this.#free
  }

  get used(): number {
    return this.size - this.#free
  }

  /**
   * Allows only this many jobs more. `exhausted` is called when the last of them was claimed.
   */
  limitClaims(jobs: number, exhausted: () => void): void {
    this.#claimsLeft = jobs
    this.#exhausted = exhausted
  }

  /**
   * Takes a slot if one is free and nobody has waited longer for it.
   */
  tryAcquire(holder: SlotHolder): boolean {
    if (
      !this.#open ||
      this.#paused ||
      this.#free === 0 ||
      this.#waiters.length > 0 ||
      !this.#takeClaim()
    ) {
      return false
    }
    this.#free--
    holder.held++
    return true
  }

  /**
   * Waits for a slot. Resolves false when the slots were closed: nothing may be claimed any more.
   */
  acquire(holder: SlotHolder): Promise<boolean> {
    if (this.tryAcquire(holder)) {
      return Promise.resolve(true)
    }
    if (!this.#open) {
      return Promise.resolve(false)
    }
    return new Promise((grant) => {
      this.#waiters.push({ holder, since: this.now(), grant })
    })
  }

  /**
   * Gives a slot back.
   *
   * @param unused no job was claimed with it, so it does not count against the limit of claims
   */
  release(holder: SlotHolder, unused = false): void {
    holder.held--
    this.#free++
    if (unused) {
      this.#claimOver(false)
    }
    this.#serve()
  }

  /**
   * Whether a queue whose job has just ended may claim its next job with the same slot, which saves a round trip. It may not
   * when another queue that has fewer slots waits for its turn. A yes counts as a claim: `claimed` says what became of it.
   */
  mayContinue(holder: SlotHolder): boolean {
    return this.#open && !this.#paused && !this.#othersFirst(holder) && this.#takeClaim()
  }

  /**
   * Says whether the claim that `mayContinue` allowed has brought a job.
   */
  claimed(job: boolean): void {
    this.#claimOver(job)
  }

  /**
   * Lets nobody claim until `resume`: whoever asks waits. What was claimed keeps its slot.
   */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#serve()
  }

  /**
   * Ends all claiming: whoever waits is told no.
   */
  close(): void {
    this.#open = false
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) {
      waiter.grant(false)
    }
  }

  /**
   * Takes a queue that is no longer worked out of the line.
   */
  forget(holder: SlotHolder): void {
    const gone = this.#waiters.filter((waiter) => waiter.holder === holder)
    this.#waiters = this.#waiters.filter((waiter) => waiter.holder !== holder)
    for (const waiter of gone) {
      waiter.grant(false)
    }
  }

  #takeClaim(): boolean {
    if (this.#claimsLeft === undefined) {
      return true
    }
    if (this.#claimsLeft === 0) {
      return false
    }
    this.#claimsLeft--
    this.#claimsOpen++
    return true
  }

  #claimOver(job: boolean): void {
    if (this.#claimsLeft === undefined) {
      return
    }
    this.#claimsOpen--
    if (!job) {
      this.#claimsLeft++
    } else if (this.#claimsLeft === 0 && this.#claimsOpen === 0 && this.#exhausted !== undefined) {
      /** Later, so that the job which this claim brought has started: a worker that stops starts none. */
      setImmediate(this.#exhausted)
      this.#exhausted = undefined
    }
  }

  #serve(): void {
    while (!this.#paused && this.#free > 0 && this.#waiters.length > 0 && this.#takeClaim()) {
      const waiter = this.#next()
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
      this.#free--
      waiter.holder.held++
      waiter.grant(true)
    }
  }

  /** The waiter with the fewest slots; among equals the one that came first. */
  #next(): Waiter {
    return this.#waiters.reduce((best, waiter) =>
      waiter.holder.held < best.holder.held ? waiter : best
    )
  }

  #othersFirst(holder: SlotHolder): boolean {
    for (const waiter of this.#waiters) {
      const theirs = waiter.holder.held
      if (waiter.holder === holder || theirs >= holder.held) {
        continue
      }
      /** One slot apart is as fair as it gets; such a slot changes hands by time, or at once if it is the only one. */
      if (theirs < holder.held - 1 || holder.held === 1 || this.now() - waiter.since > this.turn) {
        return true
      }
    }
    return false
  }
}
