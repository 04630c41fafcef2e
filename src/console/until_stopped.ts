/**
 * Does work that a person may stop half way, with Ctrl-C or SIGTERM: it ends where nothing is left half done, and tells how far it came.
 *
 * @param said is the signal's reason
 * @param work ends early when its signal is aborted
 */
export async function untilStopped<T>(
  said: string,
  work: (signal: AbortSignal) => Promise<T>
): Promise<{ answer: T; isStopped: boolean }> {
  const stopping = new AbortController()
  const stop = () => stopping.abort(new Error(said))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    const answer = await work(stopping.signal)
    return { answer, isStopped: stopping.signal.aborted }
  } finally {
    process.removeListener('SIGINT', stop)
    process.removeListener('SIGTERM', stop)
  }
}
