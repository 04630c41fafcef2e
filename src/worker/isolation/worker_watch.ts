import { Worker } from 'node:worker_threads'

/**
 * The file descriptor of a pipe whose other end the worker process holds. It writes there, a line of JSON each, for how long the attempt
 * that runs holds its job.
 */
export const WATCHED = 4

/**
 * - `turn`: the use of the process that it is about
 * - `left`: how long its attempt may go on from now without being renewed, ms; null when its code has returned
 * - `grace`: how long its code may take to return when that time is over, ms
 */
export type Lent = { turn: number; left: number | null; grace: number }

/**
 * Watches the worker process in a thread, because code that keeps the CPU busy would never let the main thread do so.
 *
 * When the pipe ends, which is when the worker does, however it does, this process ends with SIGKILL. And when the worker renews no lease
 * in time, since it is stopped, or kept busy by another job, then another worker may run the job soon: its code is told, and when it has
 * not returned within its grace period this process ends too.
 *
 * The thread's code is text, because a thread has none of the loaders of the application's own sources. What a timer finds due is looked
 * at once more after what the pipe holds was read: when the whole machine was held up, the renewals may have arrived.
 *
 * @param lost is told the turn whose lease was not renewed
 */
export function watchWorker(lost: (turn: number) => void): void {
  const thread = new Worker(
    `const { Socket } = require('node:net')
     const { parentPort } = require('node:worker_threads')
     const die = () => process.kill(process.pid, 'SIGKILL')
     let timer, changes = 0
     const forget = () => {
       changes++
       clearTimeout(timer)
     }
     const wait = (ms, then) => {
       forget()
       const seen = changes
       timer = setTimeout(() => setImmediate(() => seen === changes && then()), ms)
     }
     const take = ({ turn, left, grace }) => {
       if (left === null) return forget()
       wait(left, () => {
         parentPort.postMessage(turn)
         wait(grace, die)
       })
     }
     let text = ''
     new Socket({ fd: ${WATCHED}, readable: true, writable: false })
       .on('data', (chunk) => {
         const lines = (text + chunk).split('\\n')
         text = lines.pop()
         if (lines.length > 0) take(JSON.parse(lines.at(-1)))
       })
       .on('end', die).on('close', die).on('error', die)`,
    { eval: true, execArgv: [], env: {}, stdin: false, stdout: false, stderr: false }
  )
  thread.on('message', lost)
  thread.unref()
}
