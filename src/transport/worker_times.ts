/** Time between two reports of a worker, ms. */
export const HEARTBEAT = 10_000
