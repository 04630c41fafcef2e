import type { Alerts } from '../../alerts/alerts.ts'
import type { Reader } from '../../records/reader.ts'
import type { Transport } from '../../transport/transport.ts'
import { Screen, type ScreenInput, type ScreenOutput } from './screen.ts'
import { Snapshots } from './snapshot.ts'
import { coloured, uncoloured, watchView } from './view.ts'

export type WatchOptions = {
  transport: Transport
  reader: Reader
  alerts: Pick<Alerts, 'open'>
  output: ScreenOutput
  input: ScreenInput
  colours: boolean
  signal: AbortSignal
}

/** Time between two looks, ms: soon after something changed, and else now and then. */
const SOON = 300
const EVERY = 2_000

/** Clocks on the screen go on by themselves, ms. */
const TICK = 1_000

/**
 * Shows queues, workers and running jobs until a key or the signal ends it. Redis and the database are asked apart from each other:
 * while one is away the other goes on, and what is shown says how old it is.
 */
export async function watch(options: WatchOptions): Promise<void> {
  const { transport, reader, alerts, output, input, colours, signal } = options
  const ending = new AbortController()
  const stopped = AbortSignal.any([signal, ending.signal])
  const screen = new Screen(output, input)
  const snapshots = new Snapshots(transport, reader, alerts)
  const style = colours ? coloured : uncoloured
  const draw = () =>
    screen.draw(watchView(snapshots.get(), { columns: screen.columns, rows: screen.rows, style }))
  const redis = new Pace(stopped)
  const records = new Pace(stopped)
  let unsubscribe = () => {}
  /** Waits for Redis as long as it takes; the first notice shows that it is there. */
  transport.changes
    .subscribe(() => {
      redis.hurry()
      records.hurry()
    })
    .then(
      (end) => (unsubscribe = end),
      () => {}
    )
  screen.enter({ quit: () => ending.abort(), resized: draw })
  const ticking = setInterval(draw, TICK)
  try {
    draw()
    await Promise.all([
      redis.repeat(async () => {
        await snapshots.redis.refresh()
        draw()
      }),
      records.repeat(async () => {
        await snapshots.records.refresh()
        draw()
      }),
    ])
  } finally {
    clearInterval(ticking)
    screen.leave()
    unsubscribe()
  }
}

/** Repeats something every two seconds, sooner when hurried, never more than about three times a second. */
class Pace {
  #hurried = false
  #wake: (() => void) | undefined

  constructor(private signal: AbortSignal) {
    signal.addEventListener('abort', () => this.#wake?.(), { once: true })
  }

  hurry(): void {
    this.#hurried = true
    this.#wake?.()
  }

  /** Ends with the signal; what is under way then is left to itself. */
  async repeat(work: () => Promise<void>): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      if (this.signal.aborted) resolve()
      this.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    while (!this.signal.aborted) {
      this.#hurried = false
      await Promise.race([work(), ended])
      await this.#pause(SOON, false)
      if (!this.#hurried) await this.#pause(EVERY - SOON, true)
    }
  }

  #pause(milliseconds: number, canBeHurried: boolean): Promise<void> {
    return new Promise((resolve) => {
      if (this.signal.aborted) return resolve()
      const end = () => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
      const timer = setTimeout(end, milliseconds)
      this.#wake = () => {
        if (canBeHurried || this.signal.aborted) end()
      }
    })
  }
}
