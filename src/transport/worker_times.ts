/** Time between two reports of a worker, ms. */
export const HEARTBEAT = 10_000

/** How long a worker that no longer reports counts as alive, ms: two of its reports may be lost. */
const ALIVE_FOR = 30_000

/** How long a worker that no longer reports stays registered, ms. */
export const WORKER_FORGOTTEN_AFTER = 300_000

/**
 * Whether a worker whose last report is so old (ms) has perhaps gone: as far as is known it serves nobody, and what it reported says
 * nothing about now.
 */
export function isSuspect({ age }: { age: number }): boolean {
  return age > ALIVE_FOR
}
