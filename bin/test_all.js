/*
 * All test suites, each in a process of its own, in two lanes at once: `npm test`, or `npm test -- unit functional --files job_query`.
 * Names of suites select them; everything else goes to the test runner (--files, --tests, --groups, --tags, --timeout, --bail).
 *
 * Every suite starts the servers it needs on free ports in temporary folders. Parts whose server or browser is not installed are
 * named as skipped; where CI is set, nothing may be skipped. The last line is `N passed, N failed, N skipped`.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { redisProgram } from './start/redis_program.ts'

const ROOT = fileURLToPath(new URL('../', import.meta.url))

/** Beside each other; the second lane mostly waits: for leases of killed workers, for packages being installed. */
const LANES = [
  ['unit', 'functional', 'browser'],
  ['start', 'install', 'docs'],
]
/** Afterwards: what is held up, cut off and killed there is measured against leases of seconds, which a busy machine would miss too. */
const ALONE = ['faults']
const SUITES = [...LANES.flat(), ...ALONE]

/** Milliseconds after which a suite that hangs is ended and counted as failed. */
const LONGEST_SUITE = 30 * 60_000
const COUNTS = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m

const chosen = process.argv.slice(2).filter((argument) => SUITES.includes(argument))
const passedOn = process.argv.slice(2).filter((argument) => !SUITES.includes(argument))
const isCI = Boolean(process.env.CI) && process.env.CI !== 'false'

const running = new Set()
let stopped = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    stopped = true
    for (const child of running) child.kill('SIGTERM')
  })
}

/**
 * Runs one suite and answers its counts. A process that ended without telling them counts as one failure. What a suite beside the
 * first lane prints is shown when it has ended, so that two never mix.
 */
function runSuite(suite, isBeside) {
  return new Promise((resolve) => {
    const started = performance.now()
    const child = spawn(
      process.execPath,
      ['--import=./bin/typescript.js', 'bin/test.ts', suite, ...passedOn],
      {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', isBeside ? 'pipe' : 'inherit'],
        env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) },
      }
    )
    running.add(child)
    const held = []
    const show = (text) => (isBeside ? held.push(text) : process.stdout.write(text))
    child.stderr?.setEncoding('utf8').on('data', show)
    let tail = ''
    let timedOut = false
    child.stdout.setEncoding('utf8').on('data', (text) => {
      show(text)
      tail = (tail + text).slice(-2_000)
    })
    const impatience = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, LONGEST_SUITE)

    child.once('close', (code, signal) => {
      clearTimeout(impatience)
      running.delete(child)
      process.stdout.write(held.join(''))
      const last = tail.trimEnd().split('\n').at(-1) ?? ''
      const [, passed = 0, failed = 0, skipped = 0] = (COUNTS.exec(last) ?? []).map(Number)
      const broken = code !== 0 && failed === 0
      resolve({
        suite,
        passed,
        skipped,
        failed: failed + (broken ? 1 : 0),
        seconds: (performance.now() - started) / 1000,
        remark: timedOut ? 'ended: it took too long' : broken ? `ended with ${code ?? signal}` : '',
      })
    })
  })
}

// Once for all suites: two lanes that miss a Redis would bring it twice.
await redisProgram(join(ROOT, '.queuedeck'), process.env).catch((error) => {
  console.error(error.message)
})

const results = []
const wanted = new Set(chosen.length > 0 ? chosen : SUITES)
await Promise.all(
  LANES.map((lane) => lane.filter((suite) => wanted.has(suite))).map(async (lane, index, lanes) => {
    const isBeside = index > 0 && lanes[0].length > 0
    for (const suite of lane) {
      if (!stopped) results.push(await runSuite(suite, isBeside))
    }
  })
)

for (const suite of ALONE) {
  if (wanted.has(suite) && !stopped) results.push(await runSuite(suite, false))
}

const sum = (field) => results.reduce((total, result) => total + result[field], 0)
console.log('')
for (const { suite, passed, failed, skipped, seconds, remark } of results) {
  console.log(
    `${suite.padEnd(12)} ${passed} passed, ${failed} failed, ${skipped} skipped  ${seconds.toFixed(1)} s  ${remark}`.trimEnd()
  )
}

const nothingRan = sum('passed') + sum('failed') + sum('skipped') === 0
const skippedInCI = isCI && sum('skipped') > 0
if (stopped) console.log('Stopped before all suites were run.')
if (nothingRan) console.log('No test fits the given selection.')
if (skippedInCI) console.log('In CI no test may be skipped.')
console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`)
process.exitCode = sum('failed') > 0 || stopped || nothingRan || skippedInCI ? 1 : 0
