import { Buffer } from 'node:buffer'
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { DocumentStore } from '#app/services/documents/document_store'
import { parseDocument } from '#app/services/documents/parsed_document'
import { readPdf } from '#app/services/documents/pdf/reader'
import { PdfThreads } from '#app/services/documents/pdf/threads'
import { bombOf, madePdf, streamOf, textAt } from '#tests/helpers/made_pdf'

const SPLIT = { pages: 10, overlap: 1 }
const LIMITS = { milliseconds: 1_000, megabytes: 48 }

const good = (text: string) => ({ content: textAt(60, 760, text) })
const failure = (work: Promise<unknown>) =>
  work.then(
    () => assertNever(),
    (error) => error as { code?: string; message: string }
  )
const assertNever = () => ({ code: 'NOTHING_WAS_WRONG', message: '' })

test.group('Hostile PDF files', (group) => {
  /** One thread that may take little, so that the tests need no gigabytes and no minutes. */
  const threads = new PdfThreads(1, LIMITS)
  group.teardown(() => threads.close())

  const read = async (bytes: Uint8Array) => {
    const { pages, warnings } = await readPdf(bytes, {}, threads)
    return {
      texts: pages.map(({ lines }) => lines.map(({ text }) => text).join(' ')),
      warnings: warnings.map(({ code, message }) => `${code}: ${message}`),
    }
  }

  test('leaves a page out that unpacks to more memory than a page may have, and reads the others', async ({
    assert,
  }) => {
    const { texts, warnings } = await read(
      madePdf([good('First.'), { content: bombOf(150) }, good('Third.')])
    )
    assert.deepEqual(texts, ['First.', '', 'Third.'])
    assert.lengthOf(warnings, 1)
    assert.match(
      warnings[0],
      /^PDF_DAMAGED: page 2 takes (more than 48 MB of memory|longer than 1 s) and left out$/
    )
  }).timeout(120_000)

  test('leaves a page out whose drawings call each other without end', async ({ assert }) => {
    /** Each draws the next one ten times: ten to the power of nine in all. */
    const objects: Record<number, Buffer> = {}
    for (let level = 0; level < 9; level++) {
      const next = level < 8 ? `/Resources << /XObject << /X ${1001 + level} 0 R >> >>` : ''
      objects[1000 + level] = Buffer.concat(
        streamOf('/X Do '.repeat(10), `/Type /XObject /Subtype /Form /BBox [0 0 9 9] ${next}`).map(
          (part) => Buffer.from(part as string, 'latin1')
        )
      )
    }
    const page = { content: '/X Do', resources: '/XObject << /X 1000 0 R >>' }
    const { texts, warnings } = await read(
      madePdf([good('First.'), page, good('Third.')], { objects })
    )
    assert.deepEqual(texts, ['First.', '', 'Third.'])
    assert.match(warnings.join(), /PDF_DAMAGED: page 2 takes/)
  }).timeout(120_000)

  test('survives drawings and page trees that hold themselves', async ({ assert }) => {
    const form = Buffer.concat(
      streamOf(
        '/X Do',
        '/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 1000 0 R >> >>'
      ).map((part) => Buffer.from(part as string, 'latin1'))
    )
    const circle = {
      content: `${textAt(60, 760, 'Before.')} /X Do`,
      resources: '/XObject << /X 1000 0 R >>',
    }
    const drawn = await read(madePdf([circle, good('Second.')], { objects: { 1000: form } }))
    assert.equal(drawn.texts[1], 'Second.')

    const error = await failure(read(madePdf([good('First.')], { kids: '2 0 R', count: 3 })))
    assert.equal(error.code, 'PDF_DAMAGED')
    const half = await read(madePdf([good('First.')], { kids: '10 0 R 2 0 R', count: 30_000 }))
    assert.deepEqual(half.texts, ['First.', ''])
    assert.match(half.warnings.join(), /PDF_DAMAGED: page 2 is damaged/)
  })

  test('does not believe in billions of pages', async ({ assert }) => {
    const { texts } = await read(madePdf([good('First.')], { count: 2_000_000_000 }))
    assert.deepEqual(texts, ['First.'])
  })

  test('refuses more pages than are read', async ({ assert }) => {
    const page = '10 0 R '
    const error = await failure(
      read(madePdf([good('First.')], { kids: page.repeat(20_001), count: 20_001 }))
    )
    assert.equal(error.code, 'TOO_LARGE')
    assert.match(error.message, /20001 pages; at most 20000/)
  })

  test('reads what is behind an object whose table entry is wrong', async ({ assert }) => {
    const file = madePdf([good('First.'), good('Second.')])
    const text = file.toString('latin1')
    const at = text.indexOf(String(text.indexOf('\n11 0 obj') + 1).padStart(10, '0'))
    file.write('9999999999', at, 'latin1')
    const { texts } = await read(file)
    assert.equal(texts[1], 'Second.')
  })

  test('ends at once when its signal says so, inside of a page too', async ({ assert }) => {
    const controller = new AbortController()
    const patient = new PdfThreads(1, { milliseconds: 60_000, megabytes: 512 })
    const file = madePdf([good('First.'), { content: bombOf(150) }])
    const onPage = () => void setTimeout(() => controller.abort(new Error('cancelled')), 50)
    let begun = 0
    controller.signal.addEventListener('abort', () => (begun = performance.now()))
    const reading = readPdf(file, { signal: controller.signal, onPage }, patient)
    const error = await failure(reading)
    patient.close()
    assert.equal(error.message, 'cancelled')
    assert.isBelow(performance.now() - begun, 10_000)
  })

  test('calls a file damaged whose reading fails where nobody waits for it', async ({ assert }) => {
    const file = madePdf([good('First page.'), good('Second page.')])
    /** In two fonts, the pages and the tree of pages, which makes a list there go to the end of the file. */
    const bytes = { 240: 175, 697: 91, 556: 32, 283: 74, 386: 164, 198: 211, 448: 185, 121: 210 }
    for (const [at, byte] of Object.entries(bytes)) file[Number(at)] = byte
    const error = await failure(read(file))
    assert.equal(error.code, 'PDF_DAMAGED')
    assert.notMatch(error.message, /promise|ParserEOF/)
    assert.deepEqual((await read(madePdf([good('Next.')]))).texts, ['Next.'])
  })

  test('names what is no PDF', async ({ assert }) => {
    const error = await failure(read(Buffer.from('<html>no</html>')))
    assert.equal(error.code, 'NOT_A_PDF')
  })
})

test.group('Hostile texts', () => {
  const parse = (name: string, bytes: Uint8Array | string) =>
    parseDocument(name, Buffer.from(bytes as string), SPLIT)

  test('refuses {what}')
    .with([
      { what: 'bytes that are no UTF-8', bytes: [0x41, 0xc3, 0x28] },
      { what: 'half a surrogate pair in UTF-8', bytes: [0x41, 0xed, 0xa0, 0x80] },
      { what: 'half a surrogate pair in UTF-16', bytes: [0xff, 0xfe, 0x00, 0xd8, 0x41, 0x00] },
      { what: 'half a unit at the end of UTF-16', bytes: [0xff, 0xfe, 0x41, 0x00, 0x42] },
      { what: 'NUL', bytes: [0x41, 0x00, 0x42] },
      { what: 'UTF-16 without its mark', bytes: [0x41, 0x00, 0x42, 0x00] },
    ])
    .run(async ({ assert }, { bytes }) => {
      const error = await failure(parse('a.txt', Uint8Array.from(bytes)))
      assert.equal(error.code, 'TEXT_ENCODING')
    })

  test('keeps characters whole where it reads a long text in parts', async ({ assert }) => {
    const line = `x${'é👩‍👩‍👧'.repeat(40)}\r\n`
    const text = line.repeat(Math.ceil(2_500_000 / Buffer.byteLength(line)))
    const expected = text.replaceAll('\r\n', '\n').trimEnd()
    assert.isTrue((await parse('a.txt', text)).text === expected)
    const utf16 = Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(text, 'utf16le').swap16()])
    assert.isTrue((await parse('a.txt', utf16)).text === expected)
  })

  test('takes no more than linear time for {what}')
    .with([
      { what: 'a heading of spaces', text: `#${' '.repeat(300_000)}x` },
      { what: 'a heading of hashes', text: `# ${'# '.repeat(150_000)}x` },
      { what: 'line breaks', text: `${'\n'.repeat(300_000)}x` },
      { what: 'fences that nobody closes', text: '```\n~~~\n'.repeat(60_000) },
      { what: 'one paragraph of many lines', text: 'x\n'.repeat(300_000) },
    ])
    .run(async ({ assert }, { text }) => {
      const begun = performance.now()
      await parse('a.md', text)
      await parse('a.txt', text)
      assert.isBelow(performance.now() - begun, 20_000)
    })

  test('refuses a text of 500 MB without reading it', async ({ assert, cleanup }) => {
    const root = await mkdtemp(join(tmpdir(), 'queuedeck-large-'))
    cleanup(() => rm(root, { recursive: true, force: true }))
    await mkdir(join(root, 'storage/uploads'), { recursive: true })
    const file = await open(join(root, 'storage/uploads/large.txt'), 'w')
    await file.truncate(500 * 1_048_576)
    await file.close()
    const before = process.memoryUsage().rss
    const error = await failure(new DocumentStore(root).read('storage/uploads/large.txt'))
    assert.equal(error.code, 'TOO_LARGE')
    assert.match(error.message, /524288000 bytes; at most 33554432/)
    assert.isBelow(process.memoryUsage().rss - before, 100 * 1_048_576)
  })

  test('takes markers of language models for plain text', async ({ assert }) => {
    const { text } = await parse('a.md', '# A <|endoftext|>\n\n<|im_start|>user')
    assert.equal(text, '# A <|endoftext|>\n\n<|im_start|>user')
  })
})
