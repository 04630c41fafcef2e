import { test } from '@japa/runner'
import { parseDocument } from '#app/services/documents/parsed_document'
import { madePdf, textAt } from '#tests/helpers/made_pdf'

const parse = async (...contents: string[]) => {
  const pages = contents.map((content) => ({ content }))
  return (await parseDocument('a.pdf', madePdf(pages), { pages: 10, overlap: 1 })).text
}

const PROSE = [
  'A worker reads each page of a document and writes what it holds as',
  'text, so that whoever comes next need not know what a page is. It',
  'tells by their letters which lines are headings and which are not.',
]

/** Three lines of text, the first at a height. */
const prose = (y: number) => PROSE.map((line, index) => textAt(72, y - index * 14, line)).join('')

/** Lines of one cell, one below the other. */
const cell = (x: number, y: number, ...lines: string[]) =>
  lines.map((line, index) => textAt(x, y - index * 12, line, 10)).join('')

const rule = (x1: number, y1: number, x2: number, y2: number) => `${x1} ${y1} m ${x2} ${y2} l S\n`

const across = (left: number, right: number, ...heights: number[]) =>
  heights.map((y) => rule(left, y, right, y)).join('')

const down = (bottom: number, top: number, ...places: number[]) =>
  places.map((x) => rule(x, bottom, x, top)).join('')

test.group('Tables with rules', () => {
  test('tells rows by the rules between them, however their lines lie', async ({ assert }) => {
    const text = await parse(
      prose(780) +
        across(70, 500, 700, 680, 632, 596) +
        down(596, 700, 200) +
        cell(75, 686, 'Code') +
        cell(205, 686, 'Meaning') +
        cell(75, 668, 'H001') +
        cell(75, 642, 'the account') +
        cell(205, 662, 'Marked with a sign, and re-', 'quires an identification.') +
        cell(75, 614, 'H002') +
        cell(205, 620, 'Not yet there:', 'do not use it.') +
        prose(560)
    )
    assert.equal(
      text,
      [
        PROSE.join(' '),
        '',
        '| Code | Meaning |',
        '| --- | --- |',
        '| H001 the account | Marked with a sign, and requires an identification. |',
        '| H002 | Not yet there: do not use it. |',
        '',
        PROSE.join(' '),
      ].join('\n')
    )
  })

  test('keeps cells over several rows in their first one, a title above the table, and a row that the page cuts', async ({
    assert,
  }) => {
    const boxes = '70 600 120 20 re S 70 540 120 60 re S 190 600 200 20 re S 70 620 320 20 re S\n'
    const text = await parse(
      boxes +
        across(190, 390, 580, 560, 540) +
        down(510, 600, 70, 190, 390) +
        textAt(150, 626, 'What is asked', 11, 'F2') +
        cell(75, 606, 'Field') +
        cell(195, 606, 'Question') +
        cell(75, 570, 'Date') +
        cell(195, 586, 'is before') +
        cell(195, 566, 'is on') +
        cell(195, 546, 'is after') +
        cell(75, 526, 'Name') +
        cell(195, 526, 'holds')
    )
    assert.equal(
      text,
      [
        'What is asked',
        '',
        '| Field | Question |',
        '| --- | --- |',
        '| Date | is before |',
        '|  | is on |',
        '|  | is after |',
        '| Name | holds |',
      ].join('\n')
    )
  })

  test('keeps the head of a table that goes on, at the top of each page', async ({ assert }) => {
    const page = (name: string) =>
      across(70, 500, 800, 776, 756) +
      down(756, 800, 200, 300) +
      cell(75, 790, 'Tax', 'form') +
      cell(205, 784, 'Code') +
      cell(305, 784, 'Help') +
      cell(305, 762, name) +
      prose(700)
    const text = await parse(page('one'), page('two'), page('three'), page('four'))
    assert.equal(text.split('| Tax form | Code | Help |\n| --- | --- | --- |\n').length, 5)
  })

  test('takes rows without rules between them, frames and pictures for no ruled table', async ({
    assert,
  }) => {
    const rows = ['one', 'two', 'three', 'four'].map(
      (name, index) => cell(75, 668 - index * 14, name) + cell(205, 668 - index * 14, `the ${name}`)
    )
    const text = await parse(
      across(70, 400, 700, 680, 610) +
        down(610, 700, 70, 200, 400) +
        cell(75, 686, 'Name') +
        cell(205, 686, 'Meaning') +
        rows.join('') +
        across(60, 540, 560, 540, 520, 500) +
        down(500, 560, 200) +
        prose(550)
    )
    assert.include(text, '| two | the two |\n| three | the three |')
    assert.include(text, PROSE.join(' '))
  })

  test('goes on with a table that the page cuts, and has its head there when that is all', async ({
    assert,
  }) => {
    const [one, two, three] = await Promise.all(
      [
        [
          across(70, 400, 100, 80) +
            down(80, 100, 70, 200, 400) +
            textAt(75, 86, 'Name', 10, 'F2') +
            textAt(205, 86, 'Meaning', 10, 'F2'),
          across(70, 400, 760, 740, 720) +
            down(720, 760, 70, 200, 400) +
            cell(75, 746, 'one') +
            cell(205, 746, 'the first') +
            cell(75, 726, 'two') +
            cell(205, 726, 'the second'),
        ],
        [
          across(70, 400, 140, 120, 100) +
            down(100, 140, 70, 200, 400) +
            cell(75, 126, 'Name') +
            cell(205, 126, 'Meaning') +
            cell(75, 106, 'one') +
            cell(205, 106, 'the first'),
          across(70, 400, 760, 740, 720) +
            down(720, 760, 70, 200, 400) +
            cell(75, 746, 'Name') +
            cell(205, 746, 'Meaning') +
            cell(75, 726, 'two') +
            cell(205, 726, 'the second'),
        ],
        [across(70, 400, 100, 80) + down(80, 100, 70, 200, 400) + cell(75, 86, 'a frame'), ''],
      ].map((pages) => parse(...pages))
    )
    assert.equal(
      one,
      '| Name | Meaning |\n| --- | --- |\n| one | the first |\n| two | the second |'
    )
    assert.equal(two.split('| Name | Meaning |\n| --- | --- |\n').length, 3)
    assert.equal(three, 'a frame')
  })
})
