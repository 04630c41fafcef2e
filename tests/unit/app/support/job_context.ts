import type { JobContext } from '#queuedeck'

export type Report = { percent: number; stage?: string; done?: number; total?: number }

/**
 * What a worker lends a job, without a worker: reports and log lines are kept.
 */
export function jobContext(signal = new AbortController().signal) {
  const reports: Report[] = []
  const lines: string[] = []
  const context = {
    job: {
      id: '0192f3c4-8d5e-7a61-b2c3-d4e5f6a7b8c9',
      type: 'test',
      queue: 'documents',
      attempt: 1,
      run: 1,
    },
    signal,
    report: async (progress: Report) => void reports.push(progress),
    log: (_level: string, line: string) => void lines.push(line),
    logger: new Proxy({}, { get: () => () => {} }),
  } as unknown as JobContext
  return { context, reports, lines }
}
