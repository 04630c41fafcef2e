/**
 * What a cleanup counts, and how people read it. The first eight are things in Redis or records that went as a whole.
 */
export const CLEANUP_KINDS = {
  failedTransports: 'failed transports',
  completedTransports: 'completed transports',
  cancelledTransports: 'cancelled transports',
  results: 'results in Redis',
  orphans: 'orphaned locks and claims',
  completedRecords: 'completed records',
  failedRecords: 'failed records',
  cancelledRecords: 'cancelled records',
  logLines: 'log lines',
  progressReports: 'progress reports',
  names: 'empty counts and unused names',
  cleanups: 'records of cleanups',
  alerts: 'alerts that are over',
  audit: 'audit entries',
  bulk: 'bulk operations',
  scheduleRuns: 'runs of schedules',
  minuteMetrics: 'metrics by minute',
  hourMetrics: 'metrics by hour',
} as const

export type CleanupKind = keyof typeof CLEANUP_KINDS

/** How many of each kind went, or would go; kinds without any are 0. */
export type CleanupCounts = Record<CleanupKind, number>

export function noCounts(): CleanupCounts {
  return Object.fromEntries(Object.keys(CLEANUP_KINDS).map((kind) => [kind, 0])) as CleanupCounts
}

export function withAllKinds(counts: Record<string, number>): CleanupCounts {
  return { ...noCounts(), ...counts }
}
