import type { Assert } from '@japa/assert'

const NAMES = ['a/b', '../..', '.', ':', '%', '?', '#', ' ', 'ü', '😀', '\u0000', 'x'.repeat(2_000)]

const PAGES = [
  '/chunks/',
  '/taxonomies/',
  '/extractions/',
  '/datasets/',
  '/pipelines/',
  '/datasets/x/',
  '/documents?sent=',
  '/documents?page=',
  '/documents?sent[]=x&page[y]=',
  '/pipelines?x=',
]

/** Browsers drop a cookie whose name and value are longer, bytes. */
const LONGEST_COOKIE = 4096

/** The pages of the application as a browser without scripts asks for them: with its session. */
export class Visitor {
  #cookies = new Map<string, string>()
  #token = ''

  constructor(private origin: string) {}

  async ask(path: string, init: RequestInit = {}) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(`${this.origin}${path}`, {
      redirect: 'manual',
      ...init,
      headers: { accept: 'text/html', cookie, ...init.headers },
    })
    for (const one of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(one)!
      if (name.length + value.length <= LONGEST_COOKIE) this.#cookies.set(name, value)
    }
    const text = await response.text()
    this.#token = /name=["']_csrf["'] value=["']([^"']+)/.exec(text)?.[1] ?? this.#token
    return { status: response.status, text, location: response.headers.get('location') ?? '' }
  }

  /** Sends a form. */
  send(path: string, fields: [string, string][]) {
    const body = new URLSearchParams([['_csrf', this.#token], ...fields])
    return this.ask(path, { method: 'POST', body })
  }

  /** Forgets the session, as one that has ended. */
  forget() {
    this.#cookies.clear()
  }

  /** Sends files, as the page of documents does, and the first of them also as other fields. */
  upload(files: { name: string; content: string }[], fields: string[] = []) {
    const body = new FormData()
    body.set('_csrf', this.#token)
    for (const { name, content } of files) body.append('document', new Blob([content]), name)
    for (const field of fields) body.append(field, new Blob([files[0].content]), files[0].name)
    return this.ask('/documents', { method: 'POST', body })
  }
}

/** Asks for every page with names that are none, and sends forms that nobody should. */
export async function askForNonsense(visitor: Visitor, assert: Assert): Promise<void> {
  await visitor.ask('/documents')
  for (const page of PAGES) {
    for (const name of NAMES) {
      const path = page + encodeURIComponent(name)
      const { status } = await visitor.ask(path)
      assert.isBelow(status, 500, path)
    }
    assert.isBelow((await visitor.ask(`${page}%E0%A4%A`)).status, 500)
  }
  for (const path of [
    ...['/documents?pages=2', '/documents?page=two', '/documents?sent=x', '/pipelines?page=1'],
    ...['/pipelines/new?of=all', '/taxonomies?x', '/datasets?x', '/datasets/x?job=1'],
    ...['/chunks/x?page=-1', '/extractions/x?category[]=a', '/datasets/x/y?range=1'],
  ]) {
    const { status, text } = await visitor.ask(path)
    assert.equal(status, 422, path)
    assert.include(text, 'This cannot be used', path)
  }
  for (const [path, fields] of [
    ['/pipelines', [['treshold', '0.5']]],
    ['/pipelines?cut=token', []],
    ['/datasets/x/checks', [['dataset', 'y']]],
    ['/datasets/x/conversions', [['Format', 'csv']]],
  ] as [string, [string, string][]][]) {
    const { status, text } = await visitor.send(path, fields)
    assert.equal(status, 422, path)
    assert.match(text, /Nothing is called “(treshold|cut|dataset|Format)” here/, path)
  }
  const sound: [string, string][] = [
    ['cut', 'token'],
    ['size', '256'],
    ['overlap', '32'],
    ['depth', '3'],
    ['threshold', '0.5'],
    ['kinds[]', 'summary'],
  ]
  const changed = (field: string, value: string): [string, string][] => [
    ...sound.filter(([name]) => name !== field),
    [field, value],
    ['documents[]', 'node_modules/x/README.md'],
  ]
  const said: [fields: [string, string][], answer: string][] = [
    [sound, 'Choose 1 to 500 documents'],
    [[...sound, ['documents[]', '../../etc/passwd']], '“../../etc/passwd” lies outside'],
    [changed('cut', '<b>'), 'You wrote “&lt;b&gt;”'],
    [changed('size', '1e9'), 'from 16 to 100,000. You wrote “1e9”'],
    [changed('overlap', '256'), 'The overlap 256 must be below the size 256'],
    [changed('depth', '9'), 'from 1 to 6. You wrote “9”'],
    [changed('threshold', 'half'), 'a number from 0 to 1'],
    [changed('kinds[]', 'poem'), 'Choose at least one kind'],
    [
      [
        ['cut[a][b]', 'x'],
        ['documents[a]', 'y'],
        ['kinds[z]', '😀'],
      ],
      'Choose how to cut',
    ],
  ]
  for (const [fields, answer] of said) {
    const { status, text } = await visitor.send('/pipelines', fields)
    assert.equal(status, 422, answer)
    assert.include(text, answer)
  }
  visitor.forget()
  const many = Array.from({ length: 500 }, (_, n): [string, string] => ['documents[]', `d/${n}.md`])
  assert.equal((await visitor.send('/pipelines', [...sound, ...many])).status, 302)
  assert.include((await visitor.ask('/pipelines/new')).text, 'the session of that page had ended')
  await visitor.ask('/documents')
  assert.equal((await visitor.send('/pipelines', [['x', 'y'.repeat(2_000_000)]])).status, 413)
  assert.equal((await visitor.send('/datasets/x/conversions', [['format', 'exe']])).status, 422)
  assert.equal((await visitor.send('/datasets/x/conversions', [['format', 'csv']])).status, 404)
  assert.equal((await visitor.send('/datasets/x/checks', [])).status, 404)
}

/** Sends as a program what nobody can read, and what has no token: each is told why, in the form of all errors. */
export async function sendUnreadable(visitor: Visitor, assert: Assert): Promise<void> {
  await visitor.ask('/documents')
  const send = async (path: string, type: string, body: string) => {
    const headers = { 'accept': 'application/json', 'content-type': type }
    const { status, text } = await visitor.ask(path, { method: 'POST', body, headers })
    const { errors, ...rest } = JSON.parse(text)
    assert.deepEqual([Object.keys(errors[0]), rest], [['code', 'message'], {}], text)
    return { status, code: errors[0].code as string, message: errors[0].message as string }
  }
  const unreadable = async (path: string, type: string, body: string) => {
    const { status, code, message } = await send(path, type, body)
    if (body.startsWith('[[')) assert.match(message, /nested too deep: 500 levels/)
    assert.include([400, 422], status, body.slice(0, 40))
    assert.match(code, /^E_(UNREADABLE_BODY|INVALID_MULTIPART_REQUEST)$/, body.slice(0, 40))
  }
  await unreadable('/documents', 'multipart/form-data', 'no boundary')
  const cut = '--x\r\nContent-Disposition: form-data; name="'
  await unreadable('/documents', 'multipart/form-data; boundary=x', cut)
  const deep = '['.repeat(3_000) + ']'.repeat(3_000)
  for (const path of ['/admin/queue/jobs', '/pipelines']) {
    for (const body of ['{', 'null', '"text"', deep]) {
      await unreadable(path, 'application/json', body)
    }
    const large = await send(path, 'application/json', `["${'x'.repeat(2_200_000)}"]`)
    assert.include(large, { status: 413, code: 'E_REQUEST_ENTITY_TOO_LARGE' })
    const untold = await send(path, 'application/json', '{}')
    assert.include(untold, { status: 403, code: 'E_BAD_CSRF_TOKEN' })
  }
  assert.include(await send('/nowhere', 'text/plain', ''), {
    status: 404,
    code: 'E_ROUTE_NOT_FOUND',
  })
  const form = await visitor.ask('/documents', {
    method: 'POST',
    body: 'no boundary',
    headers: { 'content-type': 'multipart/form-data' },
  })
  assert.equal(form.status, 400)
  assert.include(form.text, 'This request cannot be read')
}

/** Sends files that cannot be read beside one that can, and too much of everything. */
export async function sendWrongFiles(visitor: Visitor, assert: Assert): Promise<void> {
  await visitor.ask('/documents')
  const told = async (files: { name: string; content: string }[]) => {
    const { status, location } = await visitor.upload(files)
    assert.equal(status, 303)
    return { location, text: (await visitor.ask(location)).text }
  }
  assert.include((await told([])).text, 'Choose one or more PDF')
  const many = Array.from({ length: 21 }, (_, index) => ({ name: `${index}.md`, content: '# x' }))
  assert.include((await told(many)).text, '21 files are too many at once')
  const mixed = await told([
    { name: '../ü 😀 : % ? # .md', content: '# Title\n\nWords.\n' },
    { name: '<b>.exe', content: 'x' },
    { name: 'empty.txt', content: '' },
    { name: 'late.PDF', content: '\n%PDF-1.4\n' },
    { name: 'late.pdf', content: '\n%PDF-1.4\n' },
  ])
  assert.match(mixed.location, /^\/documents\?sent=[0-9a-f-]{36}(,[0-9a-f-]{36}){2}$/)
  assert.include(mixed.text, '“&lt;b&gt;.exe” is no document that can be read: save it as PDF')
  assert.include(mixed.text, '“empty.txt” is empty')
  assert.include(mixed.text, '<job-monitor')
}
