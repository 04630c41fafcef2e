/**
 * Our own scripts and how many keys each takes; the texts are `lua/*.lua`, named in snake case as here.
 */
export const OWN_SCRIPTS = {
  cancel: 2,
  drain_waiting: 1,
  restart: 2,
  change_priority: 2,
  delete_ended: 3,
  report: 3,
  depths: 1,
  facts: 1,
  states: 1,
  ended: 1,
  remove_ended: 1,
  strip_results: 1,
  sweep_orphans: 1,
  sweep_unique: 1,
  claim_erasure: 2,
  publish_change: 2,
  note_action: 1,
  acquire_lease: 1,
  release_lease: 1,
  heartbeat: 3,
  workers: 1,
  remove_worker: 5,
  ask_worker: 3,
  set_limits: 4,
  sweep_limits: 1,
  limits: 3,
  waiting: 1,
  flow_edges: 1,
  flow_keep: 1,
} satisfies Record<string, number>

export type OwnScript = keyof typeof OWN_SCRIPTS
