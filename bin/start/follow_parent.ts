/*
 * Loaded into the web server and the worker (`node --import`): when the process that started them is gone, killed perhaps, they end
 * as SIGTERM would end them, handing back what runs.
 */

/** Longer than any drain: the worker's grace period with all that follows it. */
const LONGEST_FAREWELL = 60_000

function leave(): void {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), LONGEST_FAREWELL).unref()
}

if (process.connected) {
  process.once('disconnect', leave)
  // The listener must not keep a process alive that is done.
  process.channel?.unref()
} else {
  process.exit(1)
}
