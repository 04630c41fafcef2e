import { test } from '@japa/runner'
import { parseDocument } from '#app/services/documents/parsed_document'
import { madePdf, textAt } from '#tests/helpers/made_pdf'

const parse = async (content: string, options?: Parameters<typeof madePdf>[1]) =>
  (await parseDocument('a.pdf', madePdf([{ content }], options), { pages: 10, overlap: 1 })).text

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
