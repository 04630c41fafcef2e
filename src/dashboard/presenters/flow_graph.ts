import type { FamilyMember } from '../../operations/job_family.ts'
import type { FlowSide, JobFlow } from '../../operations/job_flow.ts'
import { cutText } from '../../cut_text.ts'
import type { EdgeCounts } from '../../records/reader/edges.ts'
import { STATUSES, isTerminal } from '../../statuses.ts'
import type { DashboardUrls } from '../urls.ts'
import { count } from './format.ts'
import type { Mark } from './types.ts'

/** Jobs that the picture shows. */
const MOST_SHOWN = 40

/** Jobs that each list names. */
const MOST_LISTED = 12

const BOX = { width: 168, height: 40, right: 56, below: 14, margin: 6 }

/** Letters that fit into a box. */
const LETTERS = 20

export type GraphNode = {
  x: number
  y: number
  textX: number
  firstY: number
  secondY: number
  mark: Mark
  url: string | null
  /** The job of the page itself. */
  isMe: boolean
  label: string
  word: string
  /** For who does not see the picture. */
  name: string
}

export type GraphList = {
  title: string
  items: { mark: Mark; url: string | null; label: string; detail: string; word: string }[]
  more: string
}

/** The flow around a job, ready to print. */
export type GraphView = {
  /** `3 of 5 jobs have ended` */
  summary: string
  /** Share of the jobs that have ended, percent. */
  percent: number
  /** `2 completed, 1 failed, 2 blocked` */
  words: string
  width: number
  height: number
  boxWidth: number
  boxHeight: number
  nodes: GraphNode[]
  paths: { d: string; policy: string }[]
  /** Says how many jobs are not in the picture; '' where all are. */
  hidden: string
  lists: GraphList[]
  /** Jobs whose changes the page wants to hear of. */
  ids: string[]
}

export function graphView(flow: JobFlow, me: string, urls: DashboardUrls): GraphView {
  const shown = flow.nodes.slice(0, MOST_SHOWN)
  const places = placed(shown, flow)
  const { width, height } = BOX
  const nodes = shown.map((node): GraphNode => {
    const { x, y } = places.get(node.id)!
    const label = node.type ?? 'no record'
    const word = node.status ?? 'deleted, or not there yet'
    return {
      x,
      y,
      textX: x + 12,
      firstY: y + 17,
      secondY: y + 32,
      mark: node.status ?? 'cancelled',
      url: node.status === null || node.id === me ? null : urls.job(node.id),
      isMe: node.id === me,
      label: cutName(label),
      word: cutText(word, LETTERS),
      name: `${label}, ${word}${node.id === me ? ', this job' : ''}`,
    }
  })
  const paths = flow.edges.flatMap(({ waiting, awaited, onFailure }) => {
    const [from, to] = [places.get(awaited), places.get(waiting)]
    if (!from || !to) return []
    const [x1, y1, x2, y2] = [from.x + width, from.y + height / 2, to.x, to.y + height / 2]
    const bend = Math.max(24, (x2 - x1) / 2)
    return [
      { d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`, policy: onFailure },
    ]
  })
  const counted = flow.whole ?? {
    total: flow.awaited.total || flow.waiting.total,
    counts: flow.awaited.total ? flow.awaited.counts : flow.waiting.counts,
  }
  const ended = endedOf(counted.counts)
  const of = flow.whole ? 'jobs' : flow.awaited.total ? 'awaited jobs' : 'waiting jobs'
  const left = flow.whole ? flow.whole.total - shown.length : null
  const all = [...places.values()]
  return {
    summary: `${count(ended)} of ${count(counted.total)} ${of} have ended`,
    percent: Math.floor((100 * ended) / counted.total),
    words: wordsOf(counted.counts),
    width: Math.max(...all.map(({ x }) => x)) + width + BOX.margin,
    height: Math.max(...all.map(({ y }) => y)) + height + BOX.margin,
    boxWidth: width,
    boxHeight: height,
    nodes,
    paths,
    hidden:
      left === null
        ? `The picture shows the nearest ${count(shown.length)} jobs of a flow of more than ${count(flow.nodes.length)}.`
        : left > 0
          ? `The picture shows the nearest ${count(shown.length)} jobs; ${count(left)} more belong to the flow.`
          : '',
    lists: [
      listOf(`Waits for ${jobs(flow.awaited)}`, flow.awaited, urls),
      listOf(
        `${jobs(flow.waiting)} ${flow.waiting.total === 1 ? 'waits' : 'wait'} for it`,
        flow.waiting,
        urls
      ),
    ].filter(({ items }) => items.length > 0),
    ids: shown.map(({ id }) => id).filter((id) => id !== me),
  }
}

/** Jobs of one flow mostly differ in the last part of their types, so that stays: `document_proce…parse`. */
function cutName(name: string): string {
  if (name.length <= LETTERS) return name
  const last = name.slice(name.lastIndexOf('.') + 1)
  const end = last.length <= LETTERS - 4 ? last : name.slice(-LETTERS / 2)
  return cutText(name, LETTERS - end.length) + end.toWellFormed()
}

/** What waits stands to the right of all that it waits for. */
function placed(shown: FamilyMember[], { edges }: JobFlow): Map<string, { x: number; y: number }> {
  const depth = new Map(shown.map(({ id }) => [id, 0]))
  const inside = edges.filter(({ waiting, awaited }) => depth.has(waiting) && depth.has(awaited))
  for (let round = 0; round < shown.length; round++) {
    let moved = false
    for (const { waiting, awaited } of inside) {
      const least = depth.get(awaited)! + 1
      if (depth.get(waiting)! >= least || least > shown.length) continue
      depth.set(waiting, least)
      moved = true
    }
    if (!moved) break
  }
  const filled = new Map<number, number>()
  return new Map(
    shown.map(({ id }) => {
      const column = depth.get(id)!
      const row = filled.get(column) ?? 0
      filled.set(column, row + 1)
      return [
        id,
        {
          x: BOX.margin + column * (BOX.width + BOX.right),
          y: BOX.margin + row * (BOX.height + BOX.below),
        },
      ]
    })
  )
}

function listOf(title: string, { total, jobs: all }: FlowSide, urls: DashboardUrls): GraphList {
  const named = all.slice(0, MOST_LISTED)
  return {
    title,
    items: named.map(({ id, type, status, queue, onFailure }) => ({
      mark: status ?? 'cancelled',
      url: status === null ? null : urls.job(id),
      label: type ?? id,
      detail: [queue && `queue ${queue}`, `when it fails: ${onFailure}`].filter(Boolean).join(', '),
      word: status ?? 'no record',
    })),
    more: total > named.length ? `and ${count(total - named.length)} more` : '',
  }
}

function jobs({ total }: FlowSide): string {
  return `${count(total)} ${total === 1 ? 'job' : 'jobs'}`
}

function endedOf(counts: EdgeCounts): number {
  return Object.entries(counts).reduce(
    (sum, [status, n]) => sum + (status === 'missing' || isTerminal(status as never) ? n : 0),
    0
  )
}

function wordsOf(counts: EdgeCounts): string {
  return [...STATUSES, 'missing' as const]
    .flatMap((status) => {
      const n = counts[status] ?? 0
      return n === 0 ? [] : [`${count(n)} ${status === 'missing' ? 'without a record' : status}`]
    })
    .join(', ')
}
