import { test } from '@japa/runner'
import { cutText } from '../../src/cut_text.ts'
import { stopwatch } from '#tests/helpers/stopwatch'

const FAMILY = '👨‍👩‍👧‍👦'
const FLAGS = '🇩🇪🇫🇷'

test.group('Cutting texts', () => {
  test('leaves what fits, and counts the mark where it cuts', ({ assert }) => {
    assert.equal(cutText('short', 5), 'short')
    assert.equal(cutText('longer', 5), 'long…')
    assert.equal(cutText('longer', 5, ''), 'longe')
    assert.equal(cutText('x'.repeat(20), 12, '\n… (cut)'), 'xxxx\n… (cut)')
  })

  test('cuts {0} between whole characters')
    .with([
      ['families', FAMILY.repeat(3), FAMILY.length * 2 + 5, `${FAMILY.repeat(2)}…`],
      ['flags', FLAGS.repeat(5), 15, `${FLAGS}🇩🇪…`],
      ['accents', 'e\u0301'.repeat(5), 4, 'e\u0301…'],
      ['line ends', 'ab\r\ncd', 4, 'ab…'],
    ] as [string, string, number, string][])
    .run(({ assert }, [, text, longest, expected]) => {
      assert.equal(cutText(text, longest), expected)
    })

  test('is never longer than asked and always well formed, at any length', ({ assert }) => {
    const texts = [
      FAMILY.repeat(4),
      FLAGS.repeat(8),
      `e${'\u0301'.repeat(60)}`,
      '😀'.repeat(40),
      `a\ud800b\udc00${'c'.repeat(40)}`,
      'plain words '.repeat(5),
    ]
    for (const text of texts) {
      for (let longest = 1; longest < text.length + 2; longest++) {
        const cut = cutText(text, longest)
        assert.isAtMost(cut.length, longest)
        assert.isTrue(cut.isWellFormed(), `${longest}: ${cut}`)
        assert.equal(cut.endsWith('…'), text.length > longest)
      }
    }
  })

  test('cuts within a character that is longer than the room, and before one that is not', ({
    assert,
  }) => {
    const accents = '\u0301'.repeat(9_000)
    assert.lengthOf(cutText(`e${accents}`, 500), 500)
    assert.lengthOf(cutText(`e${accents}`, 8_000), 8_000)
    assert.equal(cutText(`before e${accents}`, 500), 'before …')
    assert.equal(cutText('😀😀', 2), '…')
  })

  test('looks only at the end of what is long', ({ assert }) => {
    const text = '😀'.repeat(5_000_000)
    const asked = stopwatch()
    assert.equal(cutText(text, 9_000_001).length, 9_000_001)
    assert.isBelow(asked(), 500)
  })
})
