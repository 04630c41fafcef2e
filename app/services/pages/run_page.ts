import app from '@adonisjs/core/services/app'
import type { JobView } from '#queuedeck/types'
import type { CreatedKind } from '#services/datasets/create/examples'
import { KINDS, RunIds } from '#services/pipeline/run_ids'
import { stateOf } from './documents_page.ts'
import { isOpen, jobsById, jobsJustSent, resultOf } from './job_states.ts'
import { ago, counted, documentName } from './words.ts'

/** Documents of a run that are counted, and those that are named. */
const MOST_EDGES = 2_000
const MOST_NAMED = 200

export const KIND_WORDS: Record<CreatedKind, string> = {
  classification: 'Classification',
  question_answer: 'Question and answer',
  instruction: 'Instruction',
  summary: 'Summary',
}

/** Words for a job whose state is one line beside others. */
const WORDS: Record<string, string> = {
  pending: 'waits',
  scheduled: 'waits',
  blocked: 'waits for what is before it',
  running: 'running',
  completed: 'done',
  failed: 'failed',
  cancelled: 'did not run',
}

export type StepLine = { id: string; label: string; mark: string; word: string }

/**
 * One run through the documents: every step with its state, and what came of it. Null where there is none of this id.
 */
export async function runPage(id: string) {
  const ids = new RunIds(id)
  const job = (await jobsJustSent([id])).get(id)
  if (job?.type !== 'taxonomy_processing.generate') return null
  const { reader } = await app.container.make('queuedeck.records')
  const cutIds = (await reader.edges.of('awaited', [id], MOST_EDGES)).map(({ awaited }) => awaited)
  const readEdges = await reader.edges.of('awaited', cutIds, MOST_EDGES)
  const readOf = new Map(readEdges.map(({ waiting, awaited }) => [waiting, awaited]))
  const kinds = KINDS.map((kind) => ({
    kind,
    create: ids.dataset(kind, 'create'),
    check: ids.dataset(kind, 'check'),
    csv: ids.dataset(kind, 'csv'),
    json: ids.dataset(kind, 'json'),
  }))
  const steps = {
    analyse: ids.step('analyse'),
    validate: ids.step('validate'),
    extract: ids.step('extract'),
    entities: ids.step('entities'),
  }
  const single = [
    ...Object.values(steps),
    ...kinds.flatMap(({ create, check, csv, json }) => [create, check, csv, json]),
  ]
  const states = await jobsById([...cutIds, ...readOf.values(), ...single])
  const jobs = [job, ...states.values()]
  const line = (lineId: string, label: string): StepLine | null => {
    const state = states.get(lineId)
    return state === undefined
      ? null
      : { id: lineId, label, mark: state.status, word: WORDS[state.status] }
  }
  const documents = cutIds.map((cut) => ({ cut, read: readOf.get(cut) ?? null }))
  return {
    id,
    sent: ago(job.createdAt),
    open: jobs.some(isOpen),
    failed: jobs.filter(({ status }) => status === 'failed').length,
    reading: tally([...readOf.values()], states, 'document'),
    cutting: tally(cutIds, states, 'document'),
    documents: await namedDocuments(documents.slice(0, MOST_NAMED), states),
    taxonomy: {
      job: id,
      lines: [line(steps.analyse, 'Measured'), line(steps.validate, 'Validated')].filter(isThere),
      ...(await taxonomyOf(id, steps.validate)),
    },
    extraction: {
      job: steps.extract,
      there: states.has(steps.extract),
      lines: [line(steps.entities, 'Things named in the largest categories')].filter(isThere),
      ...(await extractionOf(steps.extract, steps.entities)),
    },
    datasets: await Promise.all(
      kinds
        .filter(({ create }) => states.has(create))
        .map(async ({ kind, create, check, csv, json }) => ({
          kind,
          title: KIND_WORDS[kind],
          job: create,
          lines: [line(check, 'Checked'), line(csv, 'CSV'), line(json, 'JSON')].filter(isThere),
          ...(await datasetOf(create, check)),
        }))
    ),
  }
}

/** For filters of lists. */
export function isThere<Value>(value: Value | null): value is Value {
  return value !== null
}

/** How far many jobs of one step are. */
function tally(ids: string[], states: Map<string, JobView>, noun: string) {
  const counts = { done: 0, running: 0, failed: 0, waiting: 0 }
  for (const id of ids) {
    const status = states.get(id)?.status
    if (status === 'completed') counts.done++
    else if (status === 'running') counts.running++
    else if (status === 'failed' || status === 'cancelled') counts.failed++
    else counts.waiting++
  }
  const { done, failed, running, waiting } = counts
  const ended = done + failed
  const all = ended === ids.length
  return {
    ...counts,
    total: ids.length,
    share: ids.length === 0 ? 0 : Math.round((ended / ids.length) * 100),
    mark: all
      ? failed === ids.length
        ? 'failed'
        : 'completed'
      : running + done > 0
        ? 'running'
        : 'pending',
    text:
      `${done.toLocaleString('en')} of ${counted(ids.length, noun)}` +
      (waiting + running > 0 && failed === 0 ? '' : failed > 0 ? `, ${failed} left out` : ''),
  }
}

async function namedDocuments(
  documents: { cut: string; read: string | null }[],
  states: Map<string, JobView>
) {
  const { reader } = await app.container.make('queuedeck.records')
  const named = documents.map(async ({ cut, read }) => {
    if (read === null || !states.has(read)) return null
    const payload = (await reader.body(read))?.payload ?? '{}'
    const { documents: paths } = JSON.parse(payload) as { documents?: string[] }
    const path = paths?.[0] ?? ''
    return {
      job: read,
      path,
      name: documentName(path),
      ...stateOf(path, states.get(read), states.get(cut)),
    }
  })
  const order = ['failed', 'running', 'pending', 'blocked']
  const rank = (mark: string) => order.indexOf(mark) + 1 || 99
  return (await Promise.all(named)).filter(isThere).sort((a, b) => rank(a.mark) - rank(b.mark))
}

async function taxonomyOf(job: string, validate: string) {
  const made = await resultOf<{
    taxonomy: string
    chunks: number
    placed: number
    categories: { name: string; depth: number }[]
  }>(job)
  const found = await resultOf<{ verdict: string; errors: number; warnings: number }>(validate)
  if (made === null) return { result: null, verdict: null }
  const top = made.categories.filter(({ depth }) => depth === 1).map(({ name }) => name)
  return {
    result: {
      url: `/taxonomies/${made.taxonomy}`,
      text: `${counted(made.categories.length, 'category', 'categories')}, ${made.placed.toLocaleString('en')} of ${counted(made.chunks, 'chunk')} placed`,
      names: top.slice(0, 12).join(', '),
    },
    verdict:
      found === null
        ? null
        : `${found.verdict}: ${counted(found.errors, 'error')}, ${counted(found.warnings, 'warning')}`,
  }
}

async function extractionOf(job: string, entities: string) {
  type Made = { extraction: string; extracts: number; rejected: number }
  const [made, named] = await Promise.all([resultOf<Made>(job), resultOf<Made>(entities)])
  const link = (one: Made | null) =>
    one === null
      ? null
      : {
          url: `/extractions/${one.extraction}`,
          text: `${counted(one.extracts, 'extract')}, ${one.rejected.toLocaleString('en')} below the threshold`,
        }
  return { result: link(made), named: link(named) }
}

async function datasetOf(create: string, check: string) {
  const made = await resultOf<{ dataset: string; examples: number; version: number }>(create)
  const judged = await resultOf<{ verdict: string; duplicates: { surplus: number } }>(check)
  return {
    result:
      made === null
        ? null
        : {
            url: `/datasets/${made.dataset}`,
            text: `${counted(made.examples, 'example')}, version ${made.version}`,
          },
    verdict: judged?.verdict ?? null,
  }
}
