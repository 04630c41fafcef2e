import { test } from '@japa/runner'
import { parseDocument } from '#app/services/documents/parsed_document'
import { madePdf, streamOf, textAt } from '#tests/helpers/made_pdf'

type Options = Parameters<typeof madePdf>[1]

const parse = (contents: string[], options?: Options) =>
  parseDocument(
    'a.pdf',
    madePdf(
      contents.map((content) => ({ content })),
      options
    ),
    {
      pages: 10,
      overlap: 1,
    }
  )

/** Lines one below the other. */
const lines = (x: number, y: number, texts: string[], distance = 14, font = 'F1') =>
  texts.map((text, index) => textAt(x, y - index * distance, text, 11, font)).join('')

const PROSE = [
  'A worker reads each page of a document and writes what it holds as text,',
  'and whoever comes next need not know what a page is or was before, which',
  'saves them a lot of work.',
]

const headings = (text: string) => text.split('\n').filter((line) => line.startsWith('#'))

test.group('Pages of manuals', () => {
  test('leaves out feet that count along with the pages, whatever else they say', async ({
    assert,
  }) => {
    const sections = ['Mail', 'Queues', 'Workers', 'Redis', 'Pages']
    const { text } = await parse(
      sections.map(
        (section, index) =>
          lines(72, 700, PROSE) +
          (index % 2 === 0
            ? textAt(72, 40, `${index + 7}`, 11, 'F2') + textAt(400, 40, section, 11, 'F2')
            : textAt(72, 40, `${index}.2. ${section}`, 11, 'F2') +
              textAt(500, 40, `${index + 7}`, 11, 'F2'))
      )
    )
    assert.deepEqual(headings(text), [])
    assert.notMatch(text, /Mail|Queues|Workers|Redis|Pages|\d/)
  })

  test('keeps the head of a table that goes on from page to page', async ({ assert }) => {
    const { text } = await parse(
      ['one', 'two', 'three'].map(
        (name) =>
          textAt(280, 800, 'The manual') +
          [
            ['Option', 'Meaning'],
            [`--${name}`, 'The first'],
            [`--${name}-more`, 'The second'],
          ]
            .map(([left, right], row) =>
              [textAt(72, 760 - row * 16, left), textAt(250, 760 - row * 16, right)].join('')
            )
            .join('')
      )
    )
    assert.notInclude(text, 'The manual')
    assert.equal(text.split('| Option | Meaning |\n| --- | --- |\n| --').length, 4)
  })

  test('takes no contents without dots for headings, and keeps titles of two lines whole', async ({
    assert,
  }) => {
    const { text } = await parse([
      textAt(72, 740, 'Contents', 16, 'F2') +
        textAt(72, 700, '1 Where jobs are', 11, 'F2') +
        textAt(500, 700, '3', 11, 'F2') +
        textAt(90, 686, '1.1. Queues, and what they have in common with all the lists that') +
        textAt(90, 672, 'wait . . . . . . . . . . . . . . . . . . . . . . . . . . . . 4') +
        textAt(90, 658, '1.2. Workers . . . . . . . . . . . . . . . . . . . . . . . . 15') +
        lines(72, 600, PROSE),
    ])
    assert.deepEqual(headings(text), ['# Contents'])
    assert.include(text, 'in common with all the lists that wait … 4\n\n1.2. Workers … 15')
  })

  test('takes a heading of two lines for one', async ({ assert }) => {
    const { text } = await parse([
      textAt(72, 760, 'Chapter 2. How to use the queues &', 22, 'F2') +
        textAt(72, 733, 'where to get help', 22, 'F2') +
        lines(72, 690, PROSE),
    ])
    assert.deepEqual(headings(text), ['# Chapter 2. How to use the queues & where to get help'])
  })

  test('reads rows of a table that stand apart as rows, its bold head too', async ({ assert }) => {
    const row = (y: number, left: string, right: string[]) =>
      textAt(72, y, left) + lines(300, y, right, 13)
    const { text } = await parse([
      lines(72, 800, PROSE) +
        textAt(72, 700, 'Item of the menu', 11, 'F2') +
        textAt(300, 700, 'What it does when it is chosen', 11, 'F2') +
        row(682, 'Cut (Ctrl+X)', ['Takes the chosen words away']) +
        row(664, 'Copy (Ctrl+C)', ['Puts them where they can be']) +
        row(646, 'Delete the account', ['Takes an account away, see', 'what is said of accounts']) +
        row(615, 'Paste (Ctrl+V)', ['Puts back what was taken']) +
        lines(72, 560, PROSE),
    ])
    assert.include(
      text,
      [
        '| Item of the menu | What it does when it is chosen |',
        '| --- | --- |',
        '| Cut (Ctrl+X) | Takes the chosen words away |',
        '| Copy (Ctrl+C) | Puts them where they can be |',
        '| Delete the account | Takes an account away, see what is said of accounts |',
        '| Paste (Ctrl+V) | Puts back what was taken |',
      ].join('\n')
    )
  })

  test('parts full cells of a table where the rows beside them are parted', async ({ assert }) => {
    const row = (y: number, cells: string[]) =>
      cells.map((cell, index) => textAt(72 + index * 80, y, cell)).join('')
    const { text } = await parse([
      row(700, ['Country', 'Exchange', 'Suffix']) +
        row(686, ['Austria', 'Vienna', 'VI']) +
        row(672, ['Liechtenstein', 'The one of all', 'LI']) +
        row(658, ['Belgium', 'Brussels', 'BR']) +
        lines(72, 600, PROSE),
    ])
    assert.include(text, '| Liechtenstein | The one of all | LI |')
  })

  test('parts full cells of a row that has other cells where one row beside it is parted', async ({
    assert,
  }) => {
    const row = (y: number, cells: string[]) =>
      cells.map((cell, index) => textAt(72 + index * 100, y, cell)).join('')
    const { text } = await parse([
      row(700, ['Austria', 'Vienna', 'VI', '15 min']) +
        row(684, ['Belgium', 'The exchange of one', 'BR', '20 min']) +
        lines(72, 600, PROSE),
    ])
    assert.include(text, '| Belgium | The exchange of one | BR | 20 min |')
  })

  test('begins another table where two cells lie below one', async ({ assert }) => {
    const { text } = await parse([
      textAt(72, 700, 'Open') +
        textAt(200, 700, 'Opens a file') +
        textAt(72, 684, 'Import') +
        textAt(200, 684, 'Opens the menu of all that can be imported into it') +
        textAt(72, 668, 'Close') +
        textAt(200, 668, 'Closes it') +
        ['Bills', 'Accounts', 'Prices']
          .map(
            (name, index) =>
              textAt(200, 652 - index * 16, name) + textAt(340, 652 - index * 16, `Imports ${name}`)
          )
          .join('') +
        lines(72, 560, PROSE),
    ])
    assert.include(text, '| Close | Closes it |\n\n| Bills | Imports Bills |')
  })

  test('goes on with a table behind a note', async ({ assert }) => {
    const row = (y: number, left: string, right: string) =>
      textAt(72, y, left) + textAt(200, y, right)
    const { text } = await parse([
      row(700, 'Open', 'Opens a file') +
        row(684, 'Save', 'Saves a file') +
        row(668, 'Close', 'Closes it') +
        textAt(210, 640, 'Note', 14, 'F2') +
        textAt(210, 620, 'Closing asks whether to save it.') +
        row(600, 'Quit', 'Ends all') +
        lines(72, 560, PROSE),
    ])
    assert.include(text, '\n\n| Quit | Ends all |\n| --- | --- |\n\n')
  })

  test('takes no bold row of cells for a heading', async ({ assert }) => {
    const { text } = await parse([
      textAt(72, 700, 'Button', 11, 'F2') +
        textAt(300, 700, 'Meaning', 11, 'F2') +
        lines(72, 640, PROSE) +
        textAt(72, 580, '4.1', 11, 'F2') +
        textAt(110, 580, 'A numbered heading', 11, 'F2') +
        lines(72, 550, PROSE),
    ])
    assert.deepEqual(headings(text), ['# 4.1 A numbered heading'])
  })

  test('reads an index column by column, each entry apart', async ({ assert }) => {
    const entries = (letter: string) =>
      Array.from(
        { length: 8 },
        (_, index) => `${letter}${'abcdefgh'[index].repeat(index % 3)}, ${index + 3}`
      )
    const { text } = await parse([
      textAt(72, 800, 'INDEX') +
        textAt(250, 800, 'The manual') +
        textAt(500, 800, '12') +
        textAt(72, 740, 'Index', 16, 'F2') +
        lines(72, 700, [...entries('p'), 'persistent volumes of data, 12, 14'], 13) +
        lines(320, 700, [...entries('q'), 'queues that are not empty, 99'], 13),
    ])
    assert.equal(
      text,
      [
        'INDEX The manual 12',
        '# Index',
        ...entries('p'),
        'persistent volumes of data, 12, 14',
        ...entries('q'),
        'queues that are not empty, 99',
      ].join('\n\n')
    )
  })

  test('keeps paragraphs of one line apart where lines of others are nearer', async ({
    assert,
  }) => {
    const short = ['One thing is said', 'Another is said', 'A third', 'A fourth', 'And a fifth']
    const { text } = await parse([
      [0, 1, 2, 3].map((part) => lines(72, 800 - part * 60, PROSE, 12)).join('') +
        lines(72, 500, [...short, ...short], 18),
    ])
    assert.include(text, [...short, ...short].join('\n\n'))
    assert.include(text, PROSE.join(' '))
  })

  test('keeps code whole that has signs of another font', async ({ assert }) => {
    const { text } = await parse([
      lines(72, 780, PROSE) +
        textAt(72, 700, 'first', 10, 'F3') +
        textAt(72, 688, '#include ', 10, 'F3') +
        textAt(126, 688, '<', 10, 'F1') +
        textAt(132, 688, 'area.h', 10, 'F3') +
        textAt(168, 688, '>', 10, 'F1') +
        textAt(72, 676, 'last', 10, 'F3') +
        lines(72, 620, PROSE),
    ])
    assert.include(text, '```\nfirst\n#include <area.h>\nlast\n```')
  })

  test('takes the end of a paragraph in letters of equal width for no code', async ({ assert }) => {
    const { text } = await parse([
      textAt(72, 700, 'Before you ask anybody for help read the file, and the ') +
        textAt(330, 700, 'frequently asked', 11, 'F3') +
        textAt(72, 686, 'questions', 11, 'F3') +
        lines(72, 650, PROSE),
    ])
    assert.include(text, 'and the frequently asked questions\n\n')
  })

  test('tells headings by letters without serifs, names of code aside', async ({ assert }) => {
    const { text } = await parse(
      [
        lines(72, 780, PROSE, 14, 'F4') +
          textAt(72, 700, 'A list of them is at ', 11, 'F4') +
          textAt(170, 700, 'http://example.org/', 10, 'F3') +
          lines(72, 660, PROSE, 14, 'F4') +
          textAt(72, 600, 'The package ', 11, 'F4') +
          textAt(140, 600, 'policy', 10, 'F3') +
          textAt(180, 600, ' holds:', 11, 'F4') +
          lines(90, 586, ['\x95 One thing', '\x95 Another'], 14, 'F4'),
      ],
      {
        fonts: '/F4 1000 0 R',
        objects: {
          1000: '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
        },
      }
    )
    assert.deepEqual(headings(text), [])
    assert.include(text, '\n\n- One thing\n- Another')
  })

  test('knows the bullet of fonts without names for their letters', async ({ assert }) => {
    const { text } = await parse(
      [
        lines(72, 780, PROSE) +
          textAt(80, 700, '\x88', 11, 'F4') +
          textAt(92, 700, 'One thing') +
          textAt(80, 686, '\x88', 11, 'F4') +
          textAt(92, 686, 'Another'),
      ],
      {
        fonts: '/F4 1000 0 R',
        objects: {
          1000:
            '<< /Type /Font /Subtype /Type3 /FontBBox [0 0 10 10] /FontMatrix [0.1 0 0 0.1 0 0] ' +
            '/CharProcs << /a136 1001 0 R >> /Encoding << /Differences [136 /a136] >> ' +
            '/FirstChar 136 /LastChar 136 /Widths [5] >>',
          1001: streamOf('5 0 0 0 5 5 d1 0 0 5 5 re f').map(String).join(''),
        },
      }
    )
    assert.include(text, '\n\n- One thing\n- Another')
  })
})
