/*
 * `npm run bench -- NAME [--json] [--rounds=N] [further options of the bench]`: measures side by side with plain BullMQ in one run.
 * The last line written is one JSON object. Exit code 1 when a ratio is under its floor.
 */
import 'reflect-metadata'
import { readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Bench, BenchResult, Measure } from './support/types.ts'

const FOLDER = new URL('./', import.meta.url)

function names(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.ts') && file !== 'main.ts')
    .map((file) => file.slice(0, -3).replaceAll('_', '-'))
}

function passed({ value, floor, ceiling }: Measure): boolean {
  return (floor === undefined || value >= floor) && (ceiling === undefined || value <= ceiling)
}

function line(measure: Measure): string {
  const { name, value, unit = '', floor, ceiling, note } = measure
  const shown = Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 3 : 1)
  const limit =
    floor !== undefined ? `at least ${floor}` : ceiling !== undefined ? `at most ${ceiling}` : ''
  const verdict = limit === '' ? '' : passed(measure) ? 'ok' : 'UNDER THE FLOOR'
  return [
    name.padEnd(34),
    `${shown} ${unit}`.trim().padEnd(16),
    limit.padEnd(16),
    verdict,
    note ?? '',
  ]
    .join(' ')
    .trimEnd()
}

function report(name: string, result: BenchResult, json: boolean): boolean {
  const ok = result.measures.every(passed)
  if (!json) {
    for (const measure of result.measures) console.log(line(measure))
    for (const note of result.notes ?? []) console.log(note)
  }
  console.log(JSON.stringify({ bench: name, ok, ...result }))
  return ok
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: { json: { type: 'boolean' }, rounds: { type: 'string' } },
})
const [name] = positionals

if (name === undefined || !names().includes(name)) {
  console.error(`Name one of these benches: ${names().join(', ')}`)
  process.exit(2)
}

const { json = false, rounds, ...others } = values
try {
  const { default: bench } = (await import(
    new URL(`${name.replaceAll('-', '_')}.ts`, FOLDER).href
  )) as { default: Bench }
  const result = await bench({
    rounds: rounds === undefined ? undefined : Number(rounds),
    others: others as Record<string, string | boolean>,
    tell: (text) => json || console.log(text),
  })
  process.exit(report(name, result, json === true) ? 0 : 1)
} catch (error) {
  console.error(error)
  console.log(JSON.stringify({ bench: name, ok: false, error: (error as Error).message }))
  process.exit(1)
}
