import { test } from '@japa/runner'
import { parseDocument } from '#app/services/documents/parsed_document'
import { madePdf, textAt } from '#tests/helpers/made_pdf'

const parse = async (content: string, dictionary = '') =>
  (await parseDocument('a.pdf', madePdf([{ content, dictionary }]), { pages: 10, overlap: 1 })).text

test.group('Raised numbers, edges and hyphens of PDF pages', () => {
  test('keeps powers and marks of notes apart from their number', async ({ assert }) => {
    const small = (digits: string, rise: number) =>
      `/F1 7 Tf ${rise} Ts (${digits}) Tj /F1 11 Tf 0 Ts`
    const content = `BT /F1 11 Tf 60 700 Td (It weighs 10) Tj ${small('-6', 4)} ( kg of H) Tj ${small('2', -2)} (O or 1010) Tj ${small('2', -2)} (.) Tj ET`
    assert.equal(await parse(content), 'It weighs 10⁻⁶ kg of H2O or 1010₂.')
  })

  test('reads nothing outside of the page, {0}')
    .with([
      ['upright', ''],
      ['turned', '/Rotate 90'],
      ['on its head', '/Rotate 180'],
      ['one half of a sheet', '/CropBox [0 0 300 842]'],
    ])
    .run(async ({ assert }, [, dictionary]) => {
      const outside =
        textAt(60, 900, 'Slug') + textAt(700, 400, 'Beside') + textAt(60, -20, 'Below')
      assert.equal(await parse(textAt(60, 700, 'Page text.') + outside, dictionary), 'Page text.')
    })

  test('keeps hyphens of words that have them, where lines end')
    .with([
      [
        ['It is a state-of-', 'the-art thing, state-of-the-', 'art, yes.'],
        /state-of-the-art thing.* state-of-the-art,/,
      ],
      [['Some on-the-fly words of on-', 'the-fly letters.'], /of on-the-fly letters/],
      [['The n-', 'gram of an e-', 'mail.'], /n-gram of an e-mail/],
      [['A high-perfor-', 'mance docu-', 'ment.'], /high-performance document/],
    ] as [string[], RegExp][])
    .run(async ({ assert }, [lines, expected]) => {
      const content = lines.map((line, index) => textAt(60, 700 - index * 14, line)).join('')
      assert.match(await parse(content), expected)
    })
})
