import { FlowProducer, Queue, Worker, type Processor, type WorkerOptions } from 'bullmq'
import { Redis } from 'ioredis'
import { MirrorService } from '../../../src/mirror/mirror_service.ts'
import type { Transport } from '../../../src/transport/transport.ts'
import { redisServer } from '#tests/helpers/servers'
import { waitFor } from '#tests/helpers/wait'
import { CLASSES } from '../dashboard/jobs.ts'
import { DashboardLab } from '../dashboard/lab.ts'

/**
 * The dashboard of an application beside producers and workers of plain BullMQ, which know nothing of it but the prefix.
 */
export class ForeignLab {
  #closing: (() => Promise<unknown>)[] = []

  private constructor(
    readonly lab: DashboardLab,
    readonly redis: Redis,
    readonly transport: Transport
  ) {}

  static async open(): Promise<ForeignLab> {
    const lab = await DashboardLab.open({ classes: CLASSES })
    const redis = new Redis((await redisServer()).url, { maxRetriesPerRequest: null })
    return new ForeignLab(lab, redis, await lab.app.container.make('queuedeck.transport'))
  }

  get options() {
    return { connection: this.redis as never, prefix: this.transport.keys.prefix }
  }

  queue(name: string): Queue {
    const queue = new Queue(name, this.options)
    this.#closing.push(() => queue.close())
    return queue
  }

  flows(): FlowProducer {
    const flows = new FlowProducer(this.options)
    this.#closing.push(() => flows.close())
    return flows
  }

  worker(name: string, code: Processor, options: Partial<WorkerOptions> = {}): Worker {
    const worker = new Worker(name, code, { ...this.options, drainDelay: 1, ...options })
    worker.on('error', () => {})
    this.#closing.push(() => worker.close(true))
    return worker
  }

  /** Ends the application's mirror; answers what starts another one in its place. */
  async withoutMirror(): Promise<() => void> {
    const { container } = this.lab.app
    await (await container.make('queuedeck.mirror')).stop()
    const next = new MirrorService({
      transport: this.transport,
      records: await container.make('queuedeck.records'),
      config: await container.make('queuedeck.config'),
      logger: await container.make('logger'),
    })
    this.#closing.push(() => next.stop())
    return () => next.start()
  }

  /** The row of a foreign job in lists, once it is as asked for. */
  async row(queue: string, transportId: string, isSo: (row: any) => boolean = () => true) {
    const client = this.lab.client()
    const path = `/jobs?queue=${encodeURIComponent(queue)}&limit=200`
    let seen: unknown
    return waitFor(`the record of ${queue}/${transportId}`, async () => {
      const { json } = await client.json(path)
      const row = json.data.find((one: any) => one.transportId === transportId)
      seen = row
      return row && isSo(row) && row
    }).catch((error) => {
      throw new Error(`${error.message}; it is ${JSON.stringify(seen)}`)
    })
  }

  async job(id: string) {
    return (await this.lab.client().json(`/jobs/${id}`)).json
  }

  async close(): Promise<void> {
    await Promise.all(this.#closing.map((close) => close().catch(() => {})))
    this.redis.disconnect()
    await this.lab.close()
  }
}
