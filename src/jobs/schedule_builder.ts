import type { Missed, Overlap } from '../schedule_types.ts'
import type { Duration } from '../types.ts'
import type { JobClass, PayloadOf } from './job.ts'
import { readMoments, type ScheduleInput, type ScheduleOptions } from './schedule_definition.ts'

/**
 * A schedule that the application's code defines. It is written when the application runs, by whichever process starts first.
 *
 * ```ts
 * queue.schedule('nightly').cron('0 3 * * *').zone('Europe/Berlin').job(SendReports, { kind: 'daily' }).missed('once')
 * ```
 */
export class ScheduleBuilder {
  #input: ScheduleInput

  constructor(name?: string) {
    this.#input = { name }
  }

  /** What was said so far. */
  get input(): ScheduleInput {
    return this.#input
  }

  /**
   * Five or six fields, or a nickname such as `@hourly`.
   *
   * @throws InvalidInputException naming the field that is wrong
   */
  cron(expression: string): this {
    readMoments({ cron: expression })
    return this.say({ cron: expression })
  }

  /** The time zone of the expression, e.g. `Europe/Berlin`. Default: UTC. */
  zone(zone: string): this {
    readMoments({ cron: '@daily', zone })
    return this.say({ zone })
  }

  /** The official queue package's word for `zone`. */
  timezone(zone: string): this {
    return this.zone(zone)
  }

  /** At an interval instead, counted from 1970: `10s` is due at every full ten seconds. */
  every(interval: Duration): this {
    readMoments({ every: interval })
    return this.say({ every: interval })
  }

  /** What is run: a job class or the name of a type, its payload, and options as of a dispatch. */
  job<Type extends JobClass | string>(
    type: Type,
    payload?: Type extends JobClass<infer Instance> ? PayloadOf<Instance> : unknown,
    options: ScheduleOptions = {}
  ): this {
    return this.say({ type, payload, options })
  }

  /** When an earlier run has not ended: `skip` this one (the default), or `queue` it behind. */
  overlap(overlap: Overlap): this {
    return this.say({ overlap })
  }

  /** Runs whose time passed while nothing ran: `skip` them (the default), or make up for them `once`. */
  missed(missed: Missed): this {
    return this.say({ missed })
  }

  protected say(more: ScheduleInput): this {
    this.#input = { ...this.#input, ...more }
    return this
  }
}
