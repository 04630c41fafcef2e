/*
 * Runs test suites: `node --import=./bin/typescript.js bin/test.ts unit functional --files queue_manager`.
 *
 * No application is booted for them: a test boots the one it needs, with servers of its own (tests/helpers). `npm test` runs this
 * file for some spec files at a time.
 */
import 'reflect-metadata'
import { configure, processCLIArgs, run } from '@japa/runner'
import { config } from '../tests/bootstrap.ts'

process.env.NODE_ENV = 'test'

/** What ends with this process (servers, workers, browsers) does so in its `exit` event, which no signal brings about by itself. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }
for (const [signal, code] of Object.entries(SIGNALS)) process.once(signal, () => process.exit(code))

// Nobody reads any more: each failure to say so would be told too, for ever.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(1))

processCLIArgs(process.argv.splice(2))
configure(config)
await run()
