import type { JobPage, JobRow, Token } from '../../../src/dashboard/presenters/types.ts'
import { moment, PREFIX, tile } from './samples.ts'

function code(title: string, tokens: Token[]) {
  const text = tokens.map((token) => token.text).join('')
  return {
    title,
    tokens,
    size: `${text.length} B`,
    cut: false,
    url: `${PREFIX}/jobs/1/result`,
    text,
  }
}

/** The page of one job; `text` stands in every place that a job, a user or a producer writes. */
export function jobSample(head: JobRow, text = 'Reading files'): JobPage {
  const spans = [{ x: 10, width: 40, mark: 'running' as const, label: text }]
  const document: Token[] = [
    { kind: 'plain', text: '{\n  ' },
    { kind: 'key', text: JSON.stringify(text) },
    { kind: 'plain', text: ': ' },
    { kind: 'string', text: JSON.stringify(text) },
    { kind: 'plain', text: ',\n  "secret": ' },
    { kind: 'redacted', text: 'redacted' },
    { kind: 'plain', text: '\n}' },
  ]
  return {
    ...head,
    place: '2',
    audit: [{ id: '1', mark: 'completed', label: 'Restarted', detail: text, at: head.created }],
    auditUrl: `${PREFIX}/audit`,
    ended: head.delete.allowed,
    sensitive: false,
    previousUrl: `${PREFIX}/jobs/previous`,
    nextUrl: `${PREFIX}/jobs/next`,
    tiles: [
      tile('waiting', 'Waiting', '17.4', 's'),
      tile('executing', 'Executing', '58.6', 's'),
      tile('duration', 'Total', '3', 'min'),
      tile('items', 'Items', '212'),
      tile('run', 'Run', '2'),
      tile('user', 'User', head.user ?? '–'),
    ],
    stages: [text, 'Extracting text', 'Splitting pages', 'Writing Markdown'].map((name, index) => ({
      name,
      items: '3 of 3 files',
      duration: '3.8 s',
      mark: index < 3 ? 'completed' : head.mark,
      attempt: 1,
    })),
    trace: {
      ticks: [0, 33, 66, 100].map((x, index) => ({ x, label: `${index} min` })),
      rows: [
        {
          kind: 'status',
          label: 'Status',
          sub: '',
          mark: 'completed',
          duration: '3 min 34 s',
          spans,
        },
        {
          kind: 'attempt',
          label: 'Attempt 1',
          sub: head.host ?? '',
          mark: 'failed',
          duration: '37 s',
          spans,
        },
        { kind: 'stage', label: text, sub: '', mark: 'failed', duration: '4.2 s', spans },
      ],
    },
    errors: [
      {
        code: 'STORAGE_UNAVAILABLE',
        message: text,
        stack: `Error: ${text}\n    at Parser.pages (app/services/parser.ts:41:22)`,
        about: `attempt 1 on ${head.host}`,
        at: moment(60_000),
        mark: 'failed',
        last: true,
      },
    ],
    payload: code('Payload', document),
    result: code('Result', document),
    links: [{ label: 'pages.csv', url: '/datasets/a1/pages.csv' }],
    noResult: '',
    options: code('Options', document),
    log: {
      lines: (['info', 'warn', 'error'] as const).map((level, index) => ({
        at: moment(50_000 - index),
        level,
        mark:
          level === 'warn' ? ('suspect' as const) : level === 'error' ? ('failed' as const) : null,
        attempt: 1,
        run: 1,
        line: text,
      })),
      olderUrl: null,
      url: `${PREFIX}/jobs/1/logs`,
    },
    flow: {
      summary: 'a parent, 1,204 children',
      members: [
        {
          mark: 'completed',
          url: `${PREFIX}/jobs/parent`,
          label: text,
          detail: `Parent, queue ${text}`,
          word: 'completed',
        },
        {
          mark: 'pending',
          url: null,
          label: text,
          detail: `Child, queue ${text}`,
          word: 'no record yet',
        },
      ],
      more: 'and 1,202 more children',
    },
    graph: null,
    timeline: (['completed', 'running', 'pending'] as const).map((mark) => ({
      mark,
      label: mark,
      detail: text,
      at: moment(30_000),
      duration: '58.6 s',
    })),
    facts: [
      { label: 'Queue', value: head.queue, tags: [] },
      { label: 'Tags', value: '', tags: head.tags },
      { label: 'Timeout', value: '72 h', tags: [] },
    ],
    runs: [{ run: 1, mark: 'failed', label: 'Run 1 failed', detail: text, at: moment(86_400_000) }],
    hasTransport: true,
  }
}
