import {
  workersPage,
  type WorkersContext,
  type WorkersPage,
} from '../../../src/dashboard/presenters/workers_page.ts'
import { Clock } from '../../../src/dashboard/presenters/format.ts'
import { DashboardUrls } from '../../../src/dashboard/urls.ts'
import type { WorkerView } from '../../../src/types.ts'
import { NOW, PREFIX } from './samples.ts'

/** The worker number `index` of a list, as it reported `age` ms ago. */
export function worker(index: number, change: Partial<WorkerView> = {}): WorkerView {
  const host = `proc-eu-${1 + (index >> 1)}`
  return {
    id: `${host}:${4100 + index}:0a1b2c3${index}`,
    host,
    pid: 4100 + index,
    version: '1.4.0',
    queues: ['default', 'documents'],
    concurrency: 10,
    running: Array.from({ length: index % 6 }, (_, at) => ({
      id: `01931e25-6c1f-7d40-9f3e-${(index * 16 + at).toString(16).padStart(12, '0')}`,
      queue: 'documents',
      type: ['document_processing.parse', 'document_processing.chunk'][at % 2],
      startedAt: NOW - 4_000 * (at + 1),
    })),
    cpu: 0.31 + index / 10,
    cores: 2,
    memory: { used: 212_000_000 + index * 30_000_000, limit: 512_000_000 },
    loopDelay: 1.2 + index,
    startedAt: NOW - 7_200_000,
    age: 4_200,
    state: 'active',
    ...change,
  }
}

export const CONTEXT: WorkersContext = {
  urls: new DashboardUrls(PREFIX),
  clock: new Clock('UTC', NOW),
  mayManage: () => true,
}

/** A list with every state in it; each text is `text` where one is given. */
export function workers(text?: string): WorkersPage {
  const said = text === undefined ? {} : { host: text, version: text, queues: [text] }
  const list = [
    worker(0, said),
    worker(5, {
      ...said,
      ...(text && { running: [{ id: text, queue: text, type: text, startedAt: NOW }] }),
    }),
    worker(2, { state: 'quiet', version: '1.3.9' }),
    worker(1, { state: 'stopping' }),
    worker(3, { age: 48_000 }),
  ]
  const id = text ?? 'proc-eu-9:3900:ffee0011'
  const removals = [{ id, at: NOW - 1_200_000, silent: 304_000, number: 7 }]
  return workersPage(list, removals, CONTEXT)
}
