let unread: AbortController | undefined

/**
 * Lets this process outlive whoever reads its output: `| head` has seen enough, or the program that collected its log has died. What it
 * says from then on is lost; what it does goes on, so no job is lost or left half done for words.
 *
 * @returns Aborted when nobody reads any more: for commands that do nothing but show.
 */
export function outliveReaders(): AbortSignal {
  if (unread) return unread.signal
  const reading = (unread = new AbortController())
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
      reading.abort()
    })
  }
  return reading.signal
}
