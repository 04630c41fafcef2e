import { type ChildProcess, spawn } from 'node:child_process'
import { ROOT } from '../start/settings.ts'
import type { Batch } from './suites.ts'

/**
 * What became of one batch.
 */
export type BatchResult = Batch & {
  passed: number
  failed: number
  skipped: number
  /** From its start to its end. */
  seconds: number
  /** What it took of the processors, in seconds of one; servers that were ended with it are not counted. */
  processor: number
  /** Why it counts as failed although it told of no failure; empty otherwise. */
  remark: string
  /** What the test runner told of the tests that failed; empty otherwise. */
  errors: string
}

/** The heading of what the test runner tells of tests that failed, and how much of it is told again at the end, characters. */
const ERRORS = /^.*\bERRORS\b.*$/m
const MOST_ERRORS = 8_000

/** Milliseconds after which a batch that hangs is ended and counted as failed. */
const LONGEST_BATCH = 15 * 60_000
const PROCESSOR = /^([\d.]+) s of a processor$/m
const COUNTS = /^(\d+) passed, (\d+) failed, (\d+) skipped$/

/**
 * The processes of the test runner that are at work.
 */
export class BatchRuns {
  readonly #running = new Set<ChildProcess>()
  readonly #passedOn: string[]
  readonly #variables: Record<string, string>

  /**
   * @param passedOn  Arguments for the test runner.
   * @param variables  Added to the environment.
   */
  constructor(passedOn: string[], variables: Record<string, string>) {
    this.#passedOn = passedOn
    this.#variables = variables
  }

  /**
   * Runs a batch. A process that ended without telling its counts counts as one failure.
   *
   * @param isHeld  Shows what it prints when it has ended, so that two at once never mix.
   * @param yields  Leaves the processors to whoever does not.
   */
  run(batch: Batch, isHeld: boolean, yields: boolean): Promise<BatchResult> {
    const started = performance.now()
    const child = spawn(
      'nice',
      [
        '-n',
        yields ? '5' : '0',
        process.execPath,
        '--import=./bin/typescript.js',
        'bin/test.ts',
        batch.suite,
        ...batch.files.map((file) => `--files=${file}`),
        ...this.#passedOn,
      ],
      {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', isHeld ? 'pipe' : 'inherit'],
        env: {
          ...process.env,
          ...this.#variables,
          ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}),
        },
      }
    )
    this.#running.add(child)

    const held: string[] = []
    const show = (text: string) => (isHeld ? held.push(text) : process.stdout.write(text))
    let tail = ''
    child.stderr?.setEncoding('utf8').on('data', show)
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      show(text)
      tail = (tail + text).slice(-2_000)
    })
    let isLate = false
    const impatience = setTimeout(() => {
      isLate = true
      child.kill('SIGKILL')
    }, LONGEST_BATCH)

    return new Promise((resolve) => {
      child.once('close', (code, signal) => {
        clearTimeout(impatience)
        this.#running.delete(child)
        const told = held.join('')
        process.stdout.write(told)
        const last = tail.trimEnd().split('\n').at(-1) ?? ''
        const [passed = 0, failed = 0, skipped = 0] = (COUNTS.exec(last) ?? []).slice(1).map(Number)
        const isBroken = code !== 0 && failed === 0
        resolve({
          ...batch,
          passed,
          skipped,
          failed: failed + (isBroken ? 1 : 0),
          seconds: (performance.now() - started) / 1000,
          processor: Number(PROCESSOR.exec(tail)?.[1] ?? 0),
          remark: isLate
            ? 'ended: it took too long'
            : isBroken
              ? `ended with ${code ?? signal}`
              : '',
          errors: told.slice(ERRORS.exec(told)?.index ?? told.length).slice(0, MOST_ERRORS),
        })
      })
    })
  }

  /** Ends what is at work. */
  stop(): void {
    for (const child of this.#running) child.kill('SIGTERM')
  }
}
