import { test } from '@japa/runner'
import { parseDocument } from '#app/services/documents/parsed_document'
import { madePdf, textAt } from '#tests/helpers/made_pdf'

const parse = (...contents: string[]) =>
  parseDocument('a.pdf', madePdf(contents.map((content) => ({ content }))), {
    pages: 10,
    overlap: 1,
  })

/** Lines one below the other, from the height of 700 on. */
const lines = (
  x: number,
  texts: string[],
  options: { font?: string; size?: number; y?: number } = {}
) =>
  texts
    .map((text, index) =>
      textAt(x, (options.y ?? 700) - index * 14, text, options.size, options.font)
    )
    .join('')

const PROSE = [
  'A worker reads each page of a document and writes what it holds as',
  'text, so that whoever comes next need not know what a page is. It',
  'tells by their letters which lines are headings and which are not.',
]

const WORDS = 'river water spring meadow thinks before houses winter people behind'.split(' ')

test.group('Layout of PDF pages', () => {
  test('tells headings by larger letters and by bold ones, larger ones above', async ({
    assert,
  }) => {
    const { text } = await parse(
      textAt(72, 780, 'The manual', 20) +
        textAt(72, 740, 'First part', 14, 'F2') +
        lines(72, PROSE) +
        textAt(72, 630, 'Bold words of the same size', 11, 'F2') +
        lines(72, PROSE, { y: 600 }) +
        textAt(72, 520, 'Second part', 14, 'F2') +
        lines(72, PROSE, { y: 490 }) +
        textAt(72, 430, 'More bold words', 11, 'F2') +
        lines(72, PROSE, { y: 400 }) +
        textAt(72, 340, '2.1. Numbered but not bold') +
        lines(72, PROSE, { y: 310 })
    )
    assert.deepEqual(
      text.split('\n').filter((line) => line.startsWith('#')),
      [
        '# The manual',
        '## First part',
        '### Bold words of the same size',
        '## Second part',
        '### More bold words',
        '### 2.1. Numbered but not bold',
      ]
    )
    assert.include(text, PROSE.join(' '))
  })

  test('makes no heading of captions, contents and displays', async ({ assert }) => {
    const { text } = await parse(
      lines(72, PROSE) +
        textAt(72, 630, 'Figure 2: bold below a picture', 11, 'F2') +
        textAt(72, 600, 'Bold contents . . . . . . . . . 12', 11, 'F2') +
        ['one bold line', 'another bold line', 'a third of them', 'and one more']
          .map((line, index) => textAt(72, 560 - index * 30, line, 11, 'F2'))
          .join('') +
        lines(72, PROSE, { y: 400 })
    )
    assert.notMatch(text, /^#/m)
    assert.include(text, 'Bold contents … 12')
  })

  test('reads {0} columns of prose one after the other, painted by {1}')
    .with([
      [3, 'columns'],
      [3, 'rows'],
      [4, 'columns'],
      [4, 'rows'],
    ] as const)
    .run(async ({ assert }, [count, order]) => {
      const words = Array.from({ length: count * 100 }, (_, at) => WORDS[(at * 7) % WORDS.length])
      const columns = Array.from({ length: count }, () =>
        Array.from({ length: 20 }, () => words.splice(0, 5).join(' '))
      )
      const painted = columns.flatMap((column, at) =>
        column.map((text, row) => ({
          at,
          row,
          text: textAt(30 + at * 140, 700 - row * 11, text, 8),
        }))
      )
      if (order === 'rows') painted.sort((a, b) => a.row - b.row || a.at - b.at)
      const { text } = await parse(painted.map((one) => one.text).join(''))
      assert.equal(text.replaceAll('\n\n', ' '), columns.flat().join(' '))
    })

  test('keeps rows of three columns of words, whose cells begin anew, a table', async ({
    assert,
  }) => {
    const row = (at: number) =>
      [0, 1, 2].map((cell) =>
        textAt(30 + cell * 180, 700 - at * 11, `Says that part ${cell + at} is read`, 8)
      )
    const { text } = await parse(
      Array.from({ length: 12 }, (_, at) => row(at))
        .flat()
        .join('')
    )
    assert.include(text, '| Says that part 3 is read | Says that part 4 is read |')
  })

  test('keeps lists, their order and what is inside of what', async ({ assert }) => {
    const { text } = await parse(
      lines(72, PROSE) +
        textAt(80, 640, '\x95 The first item goes on in its second line, which stands') +
        textAt(90, 626, 'below its text.') +
        textAt(100, 612, '- An inner item') +
        textAt(80, 598, '\x95') +
        textAt(110, 598, 'The second item, far from its mark') +
        textAt(80, 570, '1. Numbered') +
        textAt(80, 556, '2. Numbered too')
    )
    assert.equal(
      text.slice(text.indexOf('- The')),
      [
        '- The first item goes on in its second line, which stands below its text.',
        '  - An inner item',
        '- The second item, far from its mark',
        '1. Numbered',
        '2. Numbered too',
      ].join('\n')
    )
  })

  test('keeps rows and columns of a table, and cells of several lines whole', async ({
    assert,
  }) => {
    const row = (y: number, cells: string[]) =>
      cells.map((cell, index) => (cell === '' ? '' : textAt(72 + index * 150, y, cell))).join('')
    const { text } = await parse(
      lines(72, PROSE) +
        row(640, ['Option', 'Default', 'Meaning']) +
        row(624, ['--all', 'off', 'reads every page of a docu-']) +
        row(610, ['', '', 'ment']) +
        row(594, ['--deep | -d', '3', 'how deep']) +
        lines(72, PROSE, { y: 550 })
    )
    assert.include(
      text,
      [
        '| Option | Default | Meaning |',
        '| --- | --- | --- |',
        '| --all | off | reads every page of a document |',
        '| --deep \\| -d | 3 | how deep |',
      ].join('\n')
    )
  })

  test('keeps code as it stands, its indentation too', async ({ assert }) => {
    const { text } = await parse(
      lines(72, PROSE) +
        textAt(90, 640, 'if ready:', 10, 'F3') +
        textAt(114, 628, 'run()  # now', 10, 'F3') +
        textAt(90, 604, '# the end', 10, 'F3') +
        lines(72, PROSE, { y: 570 })
    )
    assert.include(text, '\n\n```\nif ready:\n    run()  # now\n\n# the end\n```\n\n')
  })

  test('says in Markdown what the words are', async ({ assert }) => {
    const { text } = await parse(
      textAt(72, 700, 'Use plot <x> with 2 * 3, x**2 and y**3 of snake_case.') +
        textAt(72, 670, '-') +
        textAt(84, 670, 'the __init__ file')
    )
    assert.include(text, 'Use plot \\<x> with 2 * 3, x\\*\\*2 and y\\*\\*3 of snake_case.')
    assert.include(text, 'the \\_\\_init\\_\\_ file')
  })

  test('leaves running heads and page numbers out, and joins what the page cuts', async ({
    assert,
  }) => {
    const { text, pages, droppedLines } = await parse(
      ...[1, 2, 3, 4, 5, 6].map(
        (page) =>
          textAt(72, 800, page % 2 === 0 ? `${page}  The manual` : `Chapter one  ${page}`, 9) +
          lines(72, ['and this sentence goes on to the next page with a sec-']) +
          lines(
            72,
            [
              'tion that only page ' +
                'ABCDEF'[page - 1] +
                ' has. What then comes is not ended yet',
            ],
            {
              y: 686,
            }
          ) +
          textAt(290, 40, `- ${page} -`, 9)
      )
    )
    assert.notMatch(text, /Chapter one|The manual|- \d -/)
    assert.equal(droppedLines, 12)
    assert.equal(text.split('\n\n').length, 1)
    assert.include(text, 'a section that only page B has.')
    assert.match(text.slice(pages[2].start, pages[2].end), /^and this .* page C has\. .* yet$/)
  })

  test('reads columns one after the other between lines of the whole width', async ({ assert }) => {
    const column = (x: number, name: string) =>
      lines(
        x,
        Array.from({ length: 6 }, (_, index) => `${name} line ${index} fills its column here`),
        { y: 680 }
      )
    const { text } = await parse(
      lines(72, ['This line reaches across both of the columns that stand below it on the page.'], {
        y: 720,
      }) +
        column(72, 'Left') +
        column(320, 'Right') +
        lines(72, ['And this one reaches across both of them where they have come to their end.'], {
          y: 560,
        })
    )
    const places = [
      'This line',
      'Left line 0',
      'Left line 5',
      'Right line 0',
      'Right line 5',
      'And this',
    ]
    assert.deepEqual(
      places.map((place) => text.indexOf(place)),
      places.map((place) => text.indexOf(place)).sort((a, b) => a - b)
    )
    assert.notInclude(
      places.map((place) => text.indexOf(place)),
      -1
    )
  })

  test('keeps a hyphen that the word has elsewhere, and takes others away', async ({ assert }) => {
    const { text } = await parse(
      lines(72, [
        'Some well-known words of QueueDeck, and again the same well-',
        'known words of Queue-',
        'Deck in one docu-',
        'ment.',
      ])
    )
    assert.equal(
      text,
      'Some well-known words of QueueDeck, and again the same well-known words of QueueDeck in one document.'
    )
  })
})
