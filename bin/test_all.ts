/*
 * All test suites: `npm test`, or `npm test -- unit functional --files job_query`. Names of suites select them; everything else goes to
 * the test runner (--files, --tests, --groups, --tags, --timeout, --bail).
 *
 * Spec files run in several processes beside each other, since half of their time they wait for leases and timers: at first the tests of
 * faults and browsers, two at a time and before the others at the processors, and beside them the others. All share a PostgreSQL and a
 * MariaDB, each with databases of its own; every other server is the process' own, on a free port in a temporary folder. Parts whose
 * server or browser is not installed are named as skipped; where CI is set, nothing may be skipped.
 * The last line is `N passed, N failed, N skipped`.
 */
import { availableParallelism } from 'node:os'
import { findProgram, mariadbServer, postgresServer, redisToRun } from '../tests/helpers/servers.ts'
import { BatchRuns, type BatchResult } from './testing/batch_run.ts'
import { batchesOf, type Batch, SUITE_NAMES } from './testing/suites.ts'

const AT_ONCE = 2 * availableParallelism() - 1
const FIRST_AT_ONCE = 2

const chosen = process.argv.slice(2).filter((argument) => SUITE_NAMES.includes(argument))
const passedOn = process.argv.slice(2).filter((argument) => !SUITE_NAMES.includes(argument))
const isCI = Boolean(process.env.CI) && process.env.CI !== 'false'

let stopped = false
let runs: BatchRuns | undefined
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopped = true
    runs?.stop()
  })
}

// Once for all: processes that miss a Redis at the same time would each bring one.
await redisToRun().catch((error) => console.error(error.message))

const { first, others } = batchesOf(
  new Set(chosen.length > 0 ? chosen : SUITE_NAMES),
  passedOn.length > 0
)
const isSingle = first.length + others.length === 1
runs = new BatchRuns(passedOn, isSingle ? {} : await sharedServers())

const results: BatchResult[] = []
const lanes = (count: number, ...lists: Batch[][]) =>
  Array.from({ length: count }, () => work(...lists))
const began = performance.now()
const ends = await Promise.all([...lanes(FIRST_AT_ONCE, first, others), ...lanes(AT_ONCE, others)])

/** Works through lists of batches that others take from too, and answers when nothing was left, in seconds. */
async function work(...lists: Batch[][]): Promise<number> {
  for (const list of lists) {
    for (let batch = list.shift(); batch && !stopped; batch = list.shift()) {
      results.push(await runs!.run(batch, !isSingle, list === others))
    }
  }
  return (performance.now() - began) / 1000
}

/** Where the databases are that all processes share, as tests/helpers/servers.ts reads it. */
async function sharedServers(): Promise<Record<string, string>> {
  const [postgres, mariadb] = await Promise.all([
    findProgram('postgres') && postgresServer(),
    findProgram('mariadbd', 'mysqld') && mariadbServer(),
  ])
  return {
    ...(postgres ? { TEST_POSTGRES_PORT: String(postgres.port) } : {}),
    ...(mariadb ? { TEST_MARIADB_PORT: String(mariadb.port) } : {}),
  }
}

type Summable = 'passed' | 'failed' | 'skipped' | 'seconds' | 'processor'
const sum = (of: BatchResult[], field: Summable) =>
  of.reduce((total, result) => total + result[field], 0)
const counts = (of: BatchResult[]) =>
  `${sum(of, 'passed')} passed, ${sum(of, 'failed')} failed, ${sum(of, 'skipped')} skipped`

// What failed is told again, where it is found: at the end of a long log.
for (const { errors } of results) if (errors) console.log(`\n${errors.trim()}`)
console.log('')
for (const suite of SUITE_NAMES) {
  const of = results.filter((result) => result.suite === suite)
  if (of.length === 0) continue
  const times = `${sum(of, 'seconds').toFixed(1)} s, ${sum(of, 'processor').toFixed(1)} s of a processor`
  console.log(`${suite.padEnd(12)} ${counts(of)}  ${times}`)
  for (const { files, failed, remark } of of.filter((result) => result.failed > 0)) {
    console.log(`  ${failed} failed ${remark} ${files.join(' ')}`.trimEnd())
  }
}
if (!isSingle) {
  const idle = ends.map((end) => `${(Math.max(...ends) - end).toFixed(0)} s`)
  console.log(`Lanes had nothing left to do at the end for ${idle.join(', ')}.`)
}

const nothingRan = results.every(({ passed, failed, skipped }) => passed + failed + skipped === 0)
const skippedInCI = isCI && sum(results, 'skipped') > 0
if (stopped) console.log('Stopped before all suites were run.')
if (nothingRan) console.log('No test fits the given selection.')
if (skippedInCI) console.log('In CI no test may be skipped.')
console.log(counts(results))
process.exitCode = sum(results, 'failed') > 0 || stopped || nothingRan || skippedInCI ? 1 : 0
