/** The bullmq whose scripts were reviewed. */
export const PINNED_VERSION = '6.7.0'

/** Checksum of each of its scripts that we edit or deliver. `npm run scripts:review -- --pin` prints new ones. */
export const PINNED_CHECKSUMS: Record<string, string> = {
  addStandardJob: '6635223a8047460a',
  addPrioritizedJob: '7fc0ef731923c7a9',
  addDelayedJob: '0d5a6354ade71ef3',
  addParentJob: '0898ffafd2075367',
  moveToActive: '4d435b9e06c1cbff',
  moveToFinished: '4e1a2cea2df2d1e1',
  moveToDelayed: '0a49da7034a6f32c',
  retryJob: 'e34f9febe625f480',
  moveJobFromActiveToWait: '6452ee32fb493de9',
  moveStalledJobsToWait: '38233db22ec48fd4',
  moveToWaitingChildren: '67de08af6c3f98ec',
  promote: 'a6b481a519d69d43',
  changeDelay: '5136a2825c7dadaf',
  reprocessJob: 'c4071bb89b088c51',
  moveJobsToWait: '39b67221c99fd2ab',
  updateProgress: 'b9d6fb5ad8199e29',
  removeJob: '82aea1c29b039c1e',
  removeUnprocessedChildren: '91fd1df7a01e915b',
  removeChildDependency: '80547a3daef1aa90',
  releaseParentIfNoPendingDependencies: '095fc8a78f993819',
  addJobScheduler: 'c4ca6167c01a33cb',
  updateJobScheduler: '89fdda467af364df',
  drain: 'ea8e76d61009d87c',
  cleanJobsInSet: '72b37e1e2aabf349',
  obliterate: '4244f5192191c50c',
  extendLock: 'f23c4c1cc415d8a0',
  extendLocks: '19e97e00e2ba503f',
}
