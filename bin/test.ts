/*
 * Runs test suites: `node --import=./bin/typescript.js bin/test.ts unit functional --files queue_manager`.
 *
 * No application is booted for them: a test boots the one it needs, with servers of its own (tests/helpers). `npm test` runs this
 * file for some spec files at a time.
 */
import 'reflect-metadata'
import { readFileSync } from 'node:fs'
import { configure, processCLIArgs, run } from '@japa/runner'
import { config } from '../tests/bootstrap.ts'

process.env.NODE_ENV = 'test'

/** What ends with this process (servers, workers, browsers) does so in its `exit` event, which no signal brings about by itself. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }
for (const [signal, code] of Object.entries(SIGNALS)) process.once(signal, () => process.exit(code))

// Nobody reads any more: each failure to say so would be told too, for ever.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(1))

/** Of this process and of all that it started and that have ended, as Linux counts it in hundredths of a second. */
function processorSeconds(): number {
  try {
    const counted = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ').slice(11, 15)
    return counted.reduce((sum, ticks) => sum + Number(ticks), 0) / 100
  } catch {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1_000_000
  }
}
process.once('exit', () => console.log(`${processorSeconds().toFixed(1)} s of a processor`))

processCLIArgs(process.argv.splice(2))
configure(config)
await run()
