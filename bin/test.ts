/*
 * Runs test suites: `node --import=./bin/typescript.js bin/test.ts unit functional --files queue_manager`.
 *
 * No application is booted for them: a test boots the one it needs, with servers of its own (tests/helpers). `npm test` runs this
 * file once for each suite.
 */
import 'reflect-metadata'
import { configure, processCLIArgs, run } from '@japa/runner'
import { config } from '../tests/bootstrap.ts'

process.env.NODE_ENV = 'test'

processCLIArgs(process.argv.splice(2))
configure(config)
await run()
