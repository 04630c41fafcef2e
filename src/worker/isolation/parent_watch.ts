import { Worker } from 'node:worker_threads'

/**
 * The file descriptor of a pipe whose other end the worker process holds. Nothing is ever written into it.
 */
export const WATCHED = 4

/**
 * Ends this process with SIGKILL when the pipe ends, which is when the worker process does, however it does. In a thread, because code
 * that keeps the CPU busy would never let the main thread see it. As text, because a thread has none of the loaders of the
 * application's own sources.
 */
export function endWithParent(): void {
  const thread = new Worker(
    `const { Socket } = require('node:net')
     const die = () => process.kill(process.pid, 'SIGKILL')
     new Socket({ fd: ${WATCHED}, readable: true, writable: false })
       .on('end', die).on('close', die).on('error', die).resume()`,
    { eval: true, execArgv: [], env: {}, stdin: false, stdout: false, stderr: false }
  )
  thread.unref()
}
