import { test } from '@japa/runner'
import { parseDocument } from '#app/services/documents/parsed_document'
import { madePdf, streamOf } from '#tests/helpers/made_pdf'

const codes = (text: string) =>
  Array.from(text, (letter) => letter.charCodeAt(0).toString(16).padStart(4, '0'))

/** Lines as they are painted, in a font whose codes are those of its letters. */
async function textOf(lines: string[]): Promise<string> {
  const letters = [...new Set(codes(lines.join('')))]
  const map = `begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange ${letters.length} beginbfchar ${letters.map((code) => `<${code}> <${code}>`).join(' ')} endbfchar endcmap`
  const content = lines
    .map(
      (line, at) => `BT /F4 11 Tf 1 0 0 1 72 ${700 - at * 13} Tm <${codes(line).join('')}> Tj ET`
    )
    .join('\n')
  const { text } = await parseDocument(
    'a.pdf',
    madePdf([{ content }], {
      fonts: '/F4 1000 0 R',
      objects: {
        1000: '<< /Type /Font /Subtype /Type0 /BaseFont /Made /Encoding /Identity-H /DescendantFonts [1001 0 R] /ToUnicode 1002 0 R >>',
        1001: '<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Made /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor 1003 0 R /DW 500 >>',
        1002: Buffer.concat(streamOf(map).map((part) => Buffer.from(part as string, 'latin1'))),
        1003: '<< /Type /FontDescriptor /FontName /Made /Flags 4 /FontBBox [0 -200 1000 800] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>',
      },
    }),
    { pages: 10, overlap: 1 }
  )
  return text
}

test.group('Letters of PDF pages that are joined', () => {
  test('joins lines behind any hyphen: {0}')
    .with([
      [['The docu\u2010', 'ment'], 'The document'],
      [['by Jean\u2010', 'Pierre in 2019\u2010', '2020'], 'by Jean\u2010Pierre in 2019\u20102020'],
      [['a well\u2011', 'known one'], 'a well\u2011known one'],
      [['in 2019\u2013', '2020 \u2013', 'later'], 'in 2019\u20132020 \u2013 later'],
      [['a well\u2010known one, well\u2010', 'known'], 'a well\u2010known one, well\u2010known'],
      [['The docu\u00ad', 'ment of co\u00adoperation'], 'The document of cooperation'],
    ] as [string[], string][])
    .run(async ({ assert }, [lines, text]) => {
      assert.equal(await textOf(lines), text)
    })

  test('keeps a hyphen that waits for the word of another: {0}')
    .with([
      [['two-', 'and three-fold'], 'two- and three-fold'],
      [['first-', 'or second-hand'], 'first- or second-hand'],
      [['Vor-', 'und Nachteile'], 'Vor- und Nachteile'],
      [['the oper-', 'and of it'], 'the operand of it'],
    ] as [string[], string][])
    .run(async ({ assert }, [lines, text]) => {
      assert.equal(await textOf(lines), text)
    })

  test('writes {0} as plain letters')
    .with([
      ['\ufee1\ufefc\ufeb3', '\u0633\u0644\u0627\u0645'],
      ['\ufc08', '\u0628\u0645'],
      ['\ufb2a', '\u05e9\u05c1'],
      ['\ufb13', '\u0574\u0576'],
      ['la\ufb05', 'last'],
      ['\ufb03', 'ffi'],
    ])
    .run(async ({ assert }, [painted, text]) => {
      assert.equal(await textOf([painted]), text)
    })
})
