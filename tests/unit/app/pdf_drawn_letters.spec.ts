import { test } from '@japa/runner'
import { parseDocument } from '#app/services/documents/parsed_document'
import { madePdf, streamOf, textAt } from '#tests/helpers/made_pdf'

const parse = async (content: string, options?: Parameters<typeof madePdf>[1]) =>
  (await parseDocument('a.pdf', madePdf([{ content }], options), { pages: 10, overlap: 1 })).text

/** Three letters, `ABC` by their codes, of a font that has these names for them. */
const named = (names: string) =>
  parseDocument(
    'a.pdf',
    madePdf([{ content: textAt(72, 700, 'ABC', 11, 'F4') }], {
      fonts: '/F4 1000 0 R',
      objects: {
        1000: `<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman /Encoding << /Type /Encoding /Differences [65 ${names}] >> >>`,
      },
    }),
    { pages: 10, overlap: 1 }
  )

const rule = (x1: number, x2: number, y: number) => `0.4 w ${x1} ${y} m ${x2} ${y} l S\n`

test.group('Letters that PDF pages draw', () => {
  test('reads a short rule between two letters as what it stands for, but not that of a root', async ({
    assert,
  }) => {
    /** In Times `STATS` is 30.56 wide at 10 points, `v` 5. */
    const text = await parse(
      textAt(72, 700, 'STATS', 10) +
        rule(103.1, 106.1, 700.2) +
        textAt(106.1, 700, 'min', 10) +
        textAt(72, 660, 'v', 10) +
        rule(77, 82, 661) +
        textAt(77, 660, 'x', 10) +
        textAt(72, 620, 'STATS', 10) +
        rule(72, 102.5, 619) +
        textAt(106.1, 620, 'underlined', 10)
    )
    assert.equal(text, 'STATS_min vx STATS underlined')
  })

  test('puts accents onto the letters that they are drawn over', async ({ assert }) => {
    const shown = (y: number, array: string) => `BT /F1 11 Tf 1 0 0 1 72 ${y} Tm ${array} TJ ET\n`
    const text = await parse(
      shown(700, '[(Br\\250) 500.5 (oker and P\\264) 333 (eter)]') +
        shown(660, '[(l\\264eau, a \\250 b)]')
    )
    assert.equal(text, 'Bröker and Péter l´eau, a ¨ b')
  })

  test('keeps letters that a font has for private use', async ({ assert }) => {
    const text = await parse(textAt(72, 700, 'A is a letter', 11, 'F4'), {
      fonts: '/F4 1000 0 R',
      objects: {
        1000: '<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman /Encoding << /Type /Encoding /Differences [65 /uniF327] >> >>',
      },
    })
    assert.equal(text, '\uf327 is a letter')
  })

  test('leaves out letters of a font whose names say nothing, and says so: {0}')
    .with([
      ['/g12 /g13 /g14', ''],
      ['/G01 /G02 /G03', ''],
      ['/glyph1 /glyph2 /glyph3', ''],
      ['/cid123 /cid124 /cid125', ''],
      ['/a1 /a2 /a3', ''],
      ['/foo /B /uniFFFF', 'B'],
    ])
    .run(async ({ assert }, [names, letters]) => {
      const { text, warnings } = await named(names)
      assert.equal(text, letters)
      assert.deepEqual(
        warnings.map(({ code }) => code),
        ['PDF_UNKNOWN_LETTERS']
      )
    })

  test('reads names that say the letter in other ways: {0}')
    .with([
      ['/a65 /B.sc /f_i', 'ABfi'],
      ['/#2341 /#2342 /C', 'ABC'],
    ])
    .run(async ({ assert }, [names, letters]) => {
      const { text, warnings } = await named(names)
      assert.equal(text, letters)
      assert.deepEqual(warnings, [])
    })

  test('leaves out letters that a map does not say: {0}')
    .with([
      ['<0001> <FFFD> <0002> <0000> <0003> <0001>', ''],
      ['<0001> <0061> <0002> <D83D> <0003> <DC00>', 'a'],
      ['<0001> <0061> <0002> <0062>', 'ab'],
    ])
    .run(async ({ assert }, [pairs, letters]) => {
      const count = pairs.split(' ').length / 2
      const map = `begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange ${count} beginbfchar ${pairs} endbfchar endcmap`
      const content = 'BT /F4 11 Tf 1 0 0 1 72 700 Tm <000100020003> Tj ET'
      const { text, warnings } = await parseDocument(
        'a.pdf',
        madePdf([{ content }], {
          fonts: '/F4 1000 0 R',
          objects: {
            1000: '<< /Type /Font /Subtype /Type0 /BaseFont /Made /Encoding /Identity-H /DescendantFonts [1001 0 R] /ToUnicode 1002 0 R >>',
            1001: '<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Made /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>',
            1002: Buffer.concat(streamOf(map).map((part) => Buffer.from(part as string, 'latin1'))),
          },
        }),
        { pages: 10, overlap: 1 }
      )
      assert.equal(text.replace(/[`\n]/g, ''), letters)
      assert.deepEqual(
        warnings.map(({ code }) => code),
        ['PDF_UNKNOWN_LETTERS']
      )
    })

  test('reads names and what they mean row by row', async ({ assert }) => {
    const names = ['page_numbers', 'documents_read', 'pages_left_out', 'letters_known']
    const text = await parse(
      names
        .map(
          (name, index) =>
            textAt(72, 700 - index * 12, name, 10, 'F3') +
            textAt(220, 700 - index * 12, `what ${index + 1} says about the document`, 10)
        )
        .join('')
    )
    assert.include(text, '| documents_read | what 2 says about the document |')
  })

  test('joins names of machines that the end of a line parts, but no sentences', async ({
    assert,
  }) => {
    const text = await parse(
      [
        'Put it on the machine that everybody can reach, which is master.debian.',
        'org in the folder of yours, and do so for all that you have there, i.e.',
        'whatever is old. It is found at lists.debian.org. Nobody reads that one.',
      ]
        .map((line, index) => textAt(72, 700 - index * 13, line))
        .join('')
    )
    assert.include(text, 'master.debian.org in the')
    assert.include(text, 'there, i.e. whatever')
  })
})
