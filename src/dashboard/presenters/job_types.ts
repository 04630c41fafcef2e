import type { FlowView } from './flow.ts'
import type { GraphView } from './flow_graph.ts'
import type { ResultLink } from './result_links.ts'
import type { LogLevel } from '../../types.ts'
import type { JobRow, Mark, Moment, Tile } from './types.ts'

/**
 * A piece of JSON for display. Joined, the texts are the pretty-printed document with its own digits and key order.
 */
export type Token = {
  kind: 'key' | 'string' | 'number' | 'literal' | 'plain' | 'redacted' | 'cut'
  text: string
}

export type CodeBlock = {
  title: string
  tokens: Token[]
  /** `312 B`, of the stored text. */
  size: string
  /** Only the beginning is shown; `url` answers all of it as JSON. */
  cut: boolean
  url: string | null
  /** Text for the copy button: what is shown. */
  text: string
}

export type StageView = {
  name: string
  items: string
  duration: string
  mark: Mark
  attempt: number
}

export type TraceRow = {
  kind: 'status' | 'attempt' | 'stage'
  label: string
  sub: string
  mark: Mark | null
  duration: string
  /** Position and width 0 to 100. */
  spans: { x: number; width: number; mark: Mark; label: string }[]
}

export type LogView = {
  lines: {
    at: Moment
    level: LogLevel
    mark: Mark | null
    attempt: number
    run: number
    line: string
  }[]
  /** Older lines; null when these are all. */
  olderUrl: string | null
  url: string
}

export type JobPage = JobRow & {
  /** Its priority, `none` without one. */
  place: string
  ended: boolean
  sensitive: boolean
  previousUrl: string | null
  nextUrl: string | null
  /** Waiting, Executing, Total, Items, Run, User. */
  tiles: Tile[]
  stages: StageView[]
  trace: { ticks: { x: number; label: string }[]; rows: TraceRow[] } | null
  /** Newest first. */
  errors: {
    code: string | null
    message: string
    stack: string | null
    about: string
    at: Moment | null
    mark: Mark
    last: boolean
  }[]
  /** Why there is no result, in words. */
  noResult: string
  payload: CodeBlock | null
  result: CodeBlock | null
  /** What the result offers: paths of this host. */
  links: ResultLink[]
  options: CodeBlock | null
  log: LogView
  /** Newest first. */
  /** The flow of BullMQ around it; null where there is none. */
  flow: FlowView | null
  /** What waits for what around it; null where nothing does. */
  graph: GraphView | null
  timeline: { mark: Mark; label: string; detail: string; at: Moment; duration: string }[]
  /** Label and text of each option. */
  facts: { label: string; value: string; tags: string[]; url?: string }[]
  runs: { run: number; mark: Mark; label: string; detail: string; at: Moment | null }[]
  /** Newest actions of people and programs, and where all of them stand. */
  audit: { id: string; mark: Mark; label: string; detail: string; at: Moment }[]
  auditUrl: string
  /** False: Redis forgot it; the record is all there is. */
  hasTransport: boolean
}
