import { readFile } from 'node:fs/promises'
import { test } from '@japa/runner'
import { markdownBlocks } from '#app/services/documents/markdown_blocks'
import { parseDocument, splitsOf } from '#app/services/documents/parsed_document'
import { madePdf, textAt } from '#tests/helpers/made_pdf'

const parse = async (name: string) =>
  parseDocument(
    name,
    await readFile(new URL(`../../fixtures/documents/${name}`, import.meta.url)),
    { pages: 10, overlap: 1 }
  )

const codes = (document: { warnings: { code: string }[] }) =>
  document.warnings.map(({ code }) => code)

test.group('Documents: text', () => {
  test('takes no heading from fenced code', async ({ assert }) => {
    const { blocks } = await parse('g_fences.md')
    assert.deepEqual(
      blocks.flatMap(({ title }) => title ?? []),
      ['Real', 'Also real']
    )
  })

  test('takes no heading from {0}')
    .with([
      ['a comment', '<!--\n# no\n\n```\n-->\n'],
      ['a comment of one line', '<!-- # no -->\n'],
      ['preformatted HTML', '<PRE class="x">\n# no\n\nno\n---\n</PRE>\n'],
      ['a script', 'Words:\n<script>\n# no\n</script> more\n'],
      ['an instruction', '<?php\n# no\n?>\n'],
      ['TOML in front', '+++\ntitle = "x"\n# no\n+++\n'],
      ['YAML in front', '---\ntitle: x\n# no\n---\n'],
      ['YAML in front that ends with dots', '---\ntitle: x\n# no\n...\n'],
      ['a block of HTML', '<div>\n# no\n</div>\n'],
      ['a block of HTML that goes on with words', 'Words\n<Details open>\n# no\n'],
      ['code in a numbered item', '1.  Run:\n\n    ```sh\n    # no\n    ```\n'],
      ['code in a quotation', '> ```sh\n> # no\n> ```\n'],
      ['code that begins an item', '1. ```sh\n   # no\n   ```\n2. two\n'],
      ['code that an item ends', '- - ~~~\n    # no\n'],
      ['a rule below a list', 'Words\n- one\n- two\n---\n'],
      ['a rule below a quotation', '> said\n---\n'],
      ['a rule below a table', 'a | b\n--|--\n1 | 2\n---\n'],
      ['a rule below HTML', '<p align="center">\n<img src="x">\n</p>\n---\n'],
    ])
    .run(({ assert }, [, text]) => {
      const titles = markdownBlocks(`${text}\n# Yes\n`).flatMap(({ title }) => title ?? [])
      assert.deepEqual(titles, ['Yes'])
    })

  test('knows fenced code inside of {0}')
    .with([
      ['an item', '1.  Run:\n\n|    ```sh\n    # a\n\n    b\n    ```|\n\n2.  Next'],
      ['an item right below its words', '10. Run:\n|    ```sh\n    # a\n    ```|'],
      ['an item of an item', '- a\n  - b\n\n|    ```\n    # a\n    ```|\n- c'],
      ['an item behind tabs', '-\tItem\n\n|\t```\n\t# a\n\t```|\n'],
      ['a quotation', '> Run:\n>\n|> ~~~\n> # a\n> ~~~|\n> words'],
      ['a quotation that ends before it', '|> ```\n> # a|\n# Title'],
      ['an item that ends before it', '1.  Run:\n\n|    ```\n    # a\n|# Title'],
      ['a quotation in an item', '- a\n\n|  > ```\n  > # a\n  > ```|\n'],
      ['an item in a quotation', '> - a\n|>   ```\n>   # a\n>   ```|\n'],
    ])
    .run(({ assert }, [, marked]) => {
      const [start, end] = [marked.indexOf('|'), marked.lastIndexOf('|') - 1]
      const text = marked.replaceAll('|', '')
      const code = markdownBlocks(text).filter(({ kind }) => kind === 'code')
      assert.deepEqual(
        code.map((block) => text.slice(block.start, block.end).trimEnd()),
        [text.slice(start, end).trimEnd()]
      )
    })

  test('takes no code by its indentation, and no words, for fenced code: {$self}')
    .with([
      'text\n\n    ```\n    # a\n',
      '- a\n\n      ```\n',
      'word\n2. no item\n   word\n       ```\n',
      '- - -\n\n    ```\n',
    ])
    .run(({ assert }, text) => {
      assert.notInclude(
        markdownBlocks(text).map(({ kind }) => kind),
        'code'
      )
    })

  test('takes no rule at the very beginning for metadata', ({ assert }) => {
    const titles = markdownBlocks('---\n\n# Yes\n\nWords\n\n---\n').flatMap(
      ({ title }) => title ?? []
    )
    assert.deepEqual(titles, ['Yes'])
  })

  test('reads a comment that nobody closes to its end', ({ assert }) => {
    assert.deepEqual(markdownBlocks('# Yes\n\n<!--\n# no\n'), [
      { kind: 'heading', start: 0, end: 5, level: 1, title: 'Yes' },
      { kind: 'paragraph', start: 7, end: 17 },
    ])
  })

  test('reads Windows line ends and a byte order mark', async ({ assert }) => {
    const { text, blocks } = await parse('g_crlf_bom.md')
    assert.notMatch(text, /[\r\uFEFF]/)
    assert.lengthOf(blocks, 3)
    assert.equal(blocks[0].title, 'Title')
  })

  test('leaves marks out between texts that were put together', async ({ assert }) => {
    const bytes = Buffer.from('\ufeff# One\n\n\ufeff# Two\r\n\ufeff\ufeff# Three')
    const { text, blocks } = await parseDocument('a.md', bytes, { pages: 10, overlap: 1 })
    assert.equal(text, '# One\n\n# Two\n# Three')
    assert.lengthOf(blocks, 3)
  })

  test('parts paragraphs at lines that look empty', async ({ assert }) => {
    const bytes = Buffer.from('One\nand\n \t \nTwo\n\n\nThree')
    const { text, blocks } = await parseDocument('a.txt', bytes, { pages: 10, overlap: 1 })
    assert.deepEqual(
      blocks.map(({ start, end }) => text.slice(start, end)),
      ['One\nand', 'Two', 'Three']
    )
  })

  test('takes the lines above a line for a title, but no text of megabytes', ({ assert }) => {
    const titles = (text: string) => markdownBlocks(text).flatMap(({ title }) => title ?? [])
    assert.deepEqual(titles('a\n  b\n---\nc\n===\n'), ['a b', 'c'])
    assert.deepEqual(titles(`${'a\n'.repeat(50_000)}===\n`), [])
  })

  test('says of {0} that it holds no words')
    .with([
      ['a.txt', ''],
      ['a.md', ' \n\t\n'],
      ['a.html', '<title></title><script>document.write("words")</script>'],
    ])
    .run(async ({ assert }, [name, text]) => {
      const document = await parseDocument(name, Buffer.from(text), { pages: 10, overlap: 1 })
      assert.deepEqual(codes(document), ['NO_TEXT'])
    })

  test('reads UTF-16', async ({ assert }) => {
    assert.equal((await parse('g_utf16le.txt')).text, 'Zwölf Boxkämpfer')
  })

  test('gives the same bytes for the same document', async ({ assert }) => {
    for (const name of ['g_fences.md', 'g_two_columns.pdf']) {
      assert.equal(JSON.stringify(await parse(name)), JSON.stringify(await parse(name)))
    }
  })

  test('refuses what is no text', async ({ assert }) => {
    for (const bytes of [
      [0xff, 0x41, 0xfe],
      [0x41, 0x00, 0x42],
    ]) {
      const parsed = parseDocument('a.txt', Uint8Array.from(bytes), { pages: 1, overlap: 0 })
      const error = await parsed.then(
        () => null,
        (reason) => reason
      )
      assert.equal(error?.code, 'TEXT_ENCODING')
    }
  })
})

test.group('Documents: PDF', () => {
  test('reads {name}')
    .with([
      {
        name: 'g_two_columns.pdf',
        text: 'Left one begins here and left two follows it and left three ends the column.\n\nRight one begins here and right two follows it and right three ends the page.',
      },
      { name: 'g_ligatures.pdf', text: 'The office file overflows: first floor.' },
      {
        name: 'g_hyphens.pdf',
        text: 'The document was sent to Jean-Pierre in 2019-2020 as a well-known example.',
      },
      { name: 'g_hebrew.pdf', text: 'שלום עולם' },
      { name: 'g_rotate90.pdf', text: 'First line of a turned page Second line of it' },
      { name: 'g_spaces_by_kerning.pdf', text: 'Every word stands alone WAVE tight' },
    ])
    .run(async ({ assert }, { name, text }) => {
      assert.equal((await parse(name)).text, text)
    })

  test('numbers pages as they are, empty ones too', async ({ assert }) => {
    const { pages, text } = await parse('g_empty_page.pdf')
    assert.deepEqual(
      pages.map(({ start, end }) => text.slice(start, end)),
      ['Page one text.', '', 'Page three text.']
    )
  })

  test('leaves out letters that are not known and says so', async ({ assert }) => {
    const document = await parse('g_no_tounicode.pdf')
    assert.equal(document.text, '')
    assert.deepEqual(codes(document), ['PDF_UNKNOWN_LETTERS'])
  })

  test('recovers a file whose table is wrong', async ({ assert }) => {
    const document = await parse('g_bad_startxref.pdf')
    assert.equal(document.text, 'Recovered although the table is wrong.')
    assert.deepEqual(codes(document), ['PDF_DAMAGED'])
  })

  test('recovers a file that is cut inside of its table: {$self} bytes less')
    .with([30, 45, 60, 80, 150])
    .run(async ({ assert }, less) => {
      const whole = madePdf([
        { content: textAt(72, 700, 'One') },
        { content: textAt(72, 700, 'Two') },
      ])
      const bytes = whole.subarray(0, whole.length - less)
      const document = await parseDocument('a.pdf', bytes, { pages: 10, overlap: 1 })
      assert.equal(document.text, 'One\n\nTwo')
      assert.deepEqual(codes(document), ['PDF_DAMAGED'])
    })

  test('says why {name} cannot be read')
    .with([
      { name: 'g_password.pdf', code: 'PDF_PASSWORD' },
      { name: 'g_truncated.pdf', code: 'PDF_DAMAGED' },
    ])
    .run(async ({ assert }, { name, code }) => {
      const error = await parse(name).catch((reason) => reason)
      assert.equal(error.code, code)
      assert.notMatch(error.message, /pdf\.js|Exception|Invalid PDF structure/)
    })

  test('splits pages with overlap, the last split with a page of its own', ({ assert }) => {
    const pages = Array.from({ length: 10 }, (_, index) => ({
      start: index * 10,
      end: index * 10 + 9,
    }))
    assert.deepEqual(
      splitsOf(pages, { pages: 4, overlap: 1 }).map(({ firstPage, lastPage }) => [
        firstPage,
        lastPage,
      ]),
      [
        [1, 4],
        [4, 7],
        [7, 10],
      ]
    )
  })
})
