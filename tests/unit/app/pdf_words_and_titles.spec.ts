import { test } from '@japa/runner'
import { parseDocument } from '#app/services/documents/parsed_document'
import { madePdf, textAt } from '#tests/helpers/made_pdf'

const parse = async (...contents: string[]) => {
  const pages = contents.map((content) => ({ content }))
  return (await parseDocument('a.pdf', madePdf(pages), { pages: 10, overlap: 1 })).text
}

const headingsOf = (text: string) => text.split('\n').filter((line) => line.startsWith('#'))

const PROSE = [
  'A worker reads each page of a document and writes what it holds as',
  'text, so that whoever comes next need not know what a page is. It',
  'tells by their letters which lines are headings and which are not.',
]

/** Three lines of text, the first at a height. */
const prose = (y: number, x = 72) =>
  PROSE.map((line, index) => textAt(x, y - index * 14, line)).join('')

test.group('Words and titles of PDF pages', () => {
  test('tells words by a letter spacing that stands for a space, but not in wide titles', async ({
    assert,
  }) => {
    const text = await parse(
      'BT /F1 10 Tf 1 0 0 1 72 760 Tm 4.5 Tc (AP) Tj 0 Tc 17.28 0 Td (DF, conflicts with an) Tj ' +
        '3.3 Tc 84.44 0 Td (yo) Tj 0 Tc 13.3 0 Td (ther macro\\)) Tj ET\n' +
        'BT /F1 10 Tf -2.4 Tw 1 0 0 1 72 700 Tm (Nev ertheless) Tj 0 Tw ET\n' +
        'BT /F1 10 Tf 2 Tc 1 0 0 1 72 640 Tm (WIDE) Tj 0 Tc ET\n'
    )
    assert.equal(text, 'A PDF, conflicts with any other macro) Nevertheless WIDE')
  })

  test('takes a table of contents for no caption, and a numbered line above a text for its title', async ({
    assert,
  }) => {
    const text = await parse(
      textAt(72, 780, 'Table of contents', 11, 'F2') +
        textAt(72, 740, 'Table A: bold, but a caption', 11, 'F2') +
        prose(700) +
        textAt(72, 600, '3.1. A title like the text') +
        prose(586)
    )
    assert.sameMembers(
      headingsOf(text).map((line) => line.replace(/^#+ /, '')),
      ['Table of contents', '3.1. A title like the text']
    )
    assert.isTrue(text.endsWith(PROSE.join(' ')))
  })

  test('keeps lines in the middle together', async ({ assert }) => {
    const lines = [12, 16, 14, 9].map((words) => Array(words).fill('nnnn').join(' '))
    const width = (line: string) =>
      [...line].reduce((sum, letter) => sum + (letter === 'n' ? 5.5 : 2.75), 0)
    const text = await parse(
      lines.map((line, at) => textAt(300 - width(line) / 2, 700 - at * 14, line)).join('')
    )
    assert.equal(text, lines.join(' '))
  })

  test('makes no heading of words in a picture, nor of a line that holds a large name', async ({
    assert,
  }) => {
    const text = await parse(
      textAt(72, 780, 'A chapter', 16) +
        prose(750) +
        textAt(190, 660, 'written in a picture', 16) +
        textAt(222, 630, 'bold in it', 11, 'F2') +
        prose(590) +
        textAt(72, 530, 'Set it with') +
        textAt(128, 530, '.LARGE_NAME_OF_IT', 14, 'F3') +
        textAt(290, 530, 'and go on.') +
        prose(490)
    )
    assert.deepEqual(headingsOf(text), ['# A chapter'])
    assert.include(text, 'Set it with .LARGE_NAME_OF_IT and go on.')
  })

  test('gives headings of one size one level when only few of them are not bold', async ({
    assert,
  }) => {
    const text = await parse(
      textAt(72, 800, 'The manual', 20, 'F2') +
        ['F2', 'F2', 'F1', 'F2']
          .map(
            (font, at) => textAt(72, 770 - at * 100, `Part ${at}`, 14, font) + prose(740 - at * 100)
          )
          .join('')
    )
    assert.deepEqual(headingsOf(text), [
      '# The manual',
      '## Part 0',
      '## Part 1',
      '## Part 2',
      '## Part 3',
    ])
  })

  test('begins no list with a page that is referred to', async ({ assert }) => {
    const text = await parse(
      textAt(72, 700, 'What is shown for each of them is told by the command of that name') +
        textAt(72, 686, '(p. 40) and nowhere else in this manual. Whoever wants to change it has') +
        textAt(72, 672, 'p. 41 to read as well. The list below has letters of its own.') +
        textAt(72, 640, 'p. The first letter') +
        textAt(72, 626, '(q) The second letter')
    )
    assert.notInclude(text, '\n(p. 40)')
    assert.include(text, 'of that name (p. 40) and nowhere else')
    assert.include(text, 'has p. 41 to read')
    assert.include(text, '\np. The first letter\n(q) The second letter')
  })

  test('knows titles of deep sections that begin small, and those that ask', async ({ assert }) => {
    const text = await parse(
      textAt(72, 740, '5.10.3.3 wanna-build') +
        prose(720) +
        textAt(72, 660, '5.10.4 What is it for?') +
        prose(640) +
        textAt(72, 580, '2.4.1 or later') +
        prose(560)
    )
    assert.sameMembers(
      headingsOf(text).map((line) => line.replace(/^#+ /, '')),
      ['5.10.3.3 wanna-build', '5.10.4 What is it for?']
    )
  })

  test('makes no heading of what a box is called', async ({ assert }) => {
    const text = await parse(
      textAt(72, 740, 'A title', 11, 'F2') +
        prose(720) +
        textAt(90, 660, 'Note', 11, 'F2') +
        prose(640, 90) +
        textAt(90, 580, 'WARNING', 11, 'F2') +
        prose(560, 90) +
        prose(500)
    )
    assert.deepEqual(headingsOf(text), ['# A title'])
    assert.include(text, '\n\nNote\n\nA worker')
  })

  test('joins addresses and paths that the end of a line parts', async ({ assert }) => {
    const joined = async (first: string, second: string) =>
      (
        await parse(
          textAt(72, 700, `Whoever has a question about it asks ${first}`) + textAt(72, 686, second)
        )
      ).replace('Whoever has a question about it asks ', '')
    assert.equal(
      await joined('admin@lists.', 'example.org for help.'),
      'admin@lists.example.org for help.'
    )
    assert.equal(
      await joined('https://example.', 'org/a/b first.'),
      'https://example.org/a/b first.'
    )
    assert.equal(
      await joined('the file debian/', 'changelog first.'),
      'the file debian/changelog first.'
    )
    assert.equal(await joined('admin@example.org.', 'They know.'), 'admin@example.org. They know.')
    assert.equal(await joined('somebody.', 'who knows'), 'somebody. who knows')
  })

  test('keeps the indentation of code that goes on from the page before', async ({ assert }) => {
    const text = await parse(
      prose(700) + textAt(90, 640, 'if ready:', 10, 'F3') + textAt(114, 628, 'run()', 10, 'F3'),
      textAt(114, 700, 'end()', 10, 'F3') + prose(660)
    )
    assert.include(text, '```\nif ready:\n    run()\n```\n\n```\n    end()\n```\n\nA worker')
  })

  test('keeps a table together whose heads stand in the middle of their columns', async ({
    assert,
  }) => {
    const row = (y: number, cells: [number, string, number?][]) =>
      cells.map(([x, cell, size]) => textAt(x, y, cell, size)).join('')
    const text = await parse(
      prose(740) +
        row(660, [
          [72, 'Name'],
          [230, 'Meaning'],
          [340, 'Default'],
        ]) +
        row(640, [
          [72, 'size'],
          [140, 'as it says'],
          [340, '20'],
        ]) +
        row(620, [
          [72, 'place'],
          [140, 'how far it stands from the left, set large', 11],
          [340, '0', 6],
        ]) +
        prose(560)
    )
    assert.include(
      text,
      [
        '| Name | Meaning | Default |',
        '| --- | --- | --- |',
        '| size | as it says | 20 |',
        '| place | how far it stands from the left, set large | 0 |',
      ].join('\n')
    )
  })

  test('takes large words above the caption of a picture for no headings, but what begins at the edge', async ({
    assert,
  }) => {
    const text = await parse(
      prose(780) +
        textAt(72, 720, 'A section', 14, 'F2') +
        textAt(120, 670, 'BIG', 50) +
        textAt(235, 640, 'and below it', 14) +
        textAt(200, 610, 'Figure 1: words in it') +
        prose(580)
    )
    assert.deepEqual(headingsOf(text), ['# A section'])
  })

  test('keeps the head of a table that stands below a title on each page, and the rest of a first cell', async ({
    assert,
  }) => {
    const row = (y: number, cells: string[]) =>
      cells.map((cell, index) => textAt(72 + index * 150, y, cell)).join('')
    const text = await parse(
      ...['One', 'Other', 'Third'].map(
        (name) =>
          textAt(72, 800, name, 11, 'F2') +
          row(770, ['Name', 'Sample', 'Setting']) +
          row(745, ['plain', 'a', `${name} 0`]) +
          row(720, ['Swiss-', 'b', `${name} 1`]) +
          textAt(72, 706, 'style') +
          prose(600)
      )
    )
    for (const name of ['One', 'Other', 'Third']) {
      assert.include(
        text,
        [
          '| Name | Sample | Setting |',
          '| --- | --- | --- |',
          `| plain | a | ${name} 0 |`,
          `| Swissstyle | b | ${name} 1 |`,
        ].join('\n')
      )
    }
  })

  test('keeps later paragraphs of a list item below it', async ({ assert }) => {
    const text = await parse(
      prose(780) +
        textAt(72, 720, '1. The first item') +
        textAt(86, 690, 'More about it, apart.') +
        textAt(86, 660, '- An inner one') +
        textAt(96, 630, 'More about that.') +
        textAt(72, 600, '2. The second item') +
        prose(570)
    )
    assert.equal(
      text,
      [
        PROSE.join(' '),
        '1. The first item',
        '   More about it, apart.',
        '  - An inner one',
        '    More about that.',
        '2. The second item',
        PROSE.join(' '),
      ].join('\n\n')
    )
  })

  test('leaves out what is said where the end of a page cuts a listing', async ({ assert }) => {
    const text = await parse(
      prose(780) +
        textAt(72, 110, 'first', 11, 'F3') +
        textAt(400, 90, '(continues on next page)', 8),
      textAt(400, 800, '(continued from previous page)', 8) +
        textAt(72, 780, 'second', 11, 'F3') +
        prose(740),
      prose(740)
    )
    assert.notMatch(text, /continue/)
    assert.include(text, 'second')
  })
})
