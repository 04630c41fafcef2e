import { setTimeout as pause } from 'node:timers/promises'
import { Queue, type JobsOptions } from 'bullmq'
import { toTransportJob } from '../src/jobs/transport_job.ts'
import { uuidV7 } from '../src/jobs/uuid.ts'
import { benchLab, type BenchLab } from './support/lab.ts'
import { median } from './support/rounds.ts'
import type { Bench } from './support/types.ts'

const QUEUE = 'bench'
const JOBS = 20_000
const PREFIX = { ours: '{queuedeck}', plain: '{plain}' }

/** A small payload, as most are: a few ids and a text. */
const PAYLOAD = {
  documentId: 48_213,
  userId: 'user-17',
  path: 'imports/2026/11/report-48213.pdf',
  pages: [1, 2, 3],
}
const ATTEMPTS = { attempts: 3, backoff: { type: 'exponential', delay: 1_000 } } as const

/**
 * Memory of Redis for each waiting job, against BullMQ with the same payload and options: all it holds of them, ids and indexes
 * too. Without what their dispatch wrote into event streams, which does not stay: BullMQ keeps its last 10,000 entries, and what
 * the mirror has read of ours goes about a minute later. What they hold until then is a figure of its own. Without the texts of scripts
 * either, which a server holds once: one job of each goes ahead.
 *
 * Each round has a server of its own. A hash keeps the table that it outgrew until later commands have emptied it, and whether a job's
 * few fields get that far depends on the seed that a server drew when it started: 32 bytes or none, alike for all jobs of a server.
 */
const bench: Bench = async ({ rounds = 5, tell }) => {
  const all: Figures[] = []
  for (let n = 1; n <= rounds; n++) {
    all.push(await measured())
    tell(`round ${n}: ${JSON.stringify(all.at(-1))}`)
  }
  const middle = (figure: keyof Figures) => median(all.map((figures) => figures[figure]))
  return {
    measures: [
      {
        name: "bytes / BullMQ's",
        value: round(middle('ours') / middle('plain')),
        ceiling: 1.2,
        note: `${middle('ours')} against ${middle('plain')} bytes a job`,
      },
      {
        name: "bytes / BullMQ's, with attempts",
        value: round(middle('oursWithAttempts') / middle('plainWithAttempts')),
        ceiling: 1.2,
        note: `${middle('oursWithAttempts')} against ${middle('plainWithAttempts')} bytes a job`,
      },
      { name: 'before the mirror trimmed it', value: middle('unread'), unit: 'bytes' },
      { name: 'before, with attempts', value: middle('unreadWithAttempts'), unit: 'bytes' },
    ],
  }
}

/** Bytes a job. */
type Figures = Awaited<ReturnType<typeof measured>>

async function measured() {
  const lab = await benchLab()
  const plain = await ofPlain(lab, {})
  const plainWithAttempts = await ofPlain(lab, ATTEMPTS)
  const bare = await ofOurs(lab, false)
  const withAttempts = await ofOurs(lab, true)
  await lab.close()
  return {
    ...{ plain, ours: bare.read, unread: bare.unread },
    ...{ plainWithAttempts, oursWithAttempts: withAttempts.read },
    unreadWithAttempts: withAttempts.unread,
  }
}

async function ofPlain(lab: BenchLab, options: JobsOptions): Promise<number> {
  const queue = new Queue(QUEUE, { connection: lab.plain as never, prefix: PREFIX.plain })
  const add = (count: number) =>
    queue.addBulk(
      Array.from({ length: count }, () => ({
        name: 'documents.read',
        data: PAYLOAD,
        opts: options,
      }))
    )
  await add(1)
  await lab.plain.flushdb()
  const empty = await used(lab)
  for (let from = 0; from < JOBS; from += 1_000) await add(1_000)
  await lab.plain.xtrim(`${PREFIX.plain}:${QUEUE}:events`, 'MAXLEN', 0)
  const bytes = (await used(lab)) - empty
  await queue.close()
  return Math.round(bytes / JOBS)
}

async function ofOurs(
  lab: BenchLab,
  withAttempts: boolean
): Promise<{ unread: number; read: number }> {
  const json = JSON.stringify(PAYLOAD)
  const now = Date.now()
  const options = withAttempts ? ATTEMPTS : {}
  const add = (count: number) =>
    lab.transport.add(
      Array.from({ length: count }, () =>
        toTransportJob('documents.read', uuidV7(), QUEUE, json, options as never, now)
      )
    )
  await add(1)
  await lab.plain.flushdb()
  const empty = await used(lab)
  for (let from = 0; from < JOBS; from += 1_000) await add(1_000)
  const unread = (await used(lab)) - empty
  await lab.plain.xtrim(lab.transport.keys.events(QUEUE), 'MAXLEN', 0)
  const read = (await used(lab)) - empty
  return { unread: Math.round(unread / JOBS), read: Math.round(read / JOBS) }
}

/** Without the buffers of connections, which are as large as the last dispatch made them; Redis counts those once a second. */
async function used({ plain }: BenchLab): Promise<number> {
  let last = Number.NaN
  for (;;) {
    const info = await plain.info('memory')
    const [all, clients] = ['used_memory', 'mem_clients_normal'].map((name) =>
      Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)![1])
    )
    if (Math.abs(all - clients - last) < JOBS / 2) return all - clients
    last = all - clients
    await pause(1_200)
  }
}

function round(value: number): number {
  return Number(value.toFixed(3))
}

export default bench
