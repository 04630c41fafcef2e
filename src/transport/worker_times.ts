/** Time between two reports of a worker, ms. */
export const HEARTBEAT = 10_000

/** How long a worker that no longer reports stays registered, ms. */
export const WORKER_FORGOTTEN_AFTER = 300_000
