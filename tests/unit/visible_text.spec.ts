import { test } from '@japa/runner'
import { plain } from '../../src/console/job_output.ts'
import { Views } from '../../src/dashboard/views.ts'
import { visibleMarkup, visibleText } from '../../src/visible_text.ts'

const TURNED = 'invoice\u202efdp.exe'

test.group('What names hide', () => {
  test('is written out, in pages and terminals alike', ({ assert }) => {
    const hidden = {
      [TURNED]: 'invoice\\u202efdp.exe',
      'ad\u200bmin': 'ad\\u200bmin',
      'ad\u200dmin': 'ad\\u200dmin',
      'ad\ufe0fmin': 'ad\\ufe0fmin',
      '\u2066root\u2069': '\\u2066root\\u2069',
      'a\u00adb\u0007c\u007f': 'a\\xadb\\x07c\\x7f',
      '\ufeffjob\u3164': '\\ufeffjob\\u3164',
      'x\u{e0041}': 'x\\u{e0041}',
    }
    for (const [text, shown] of Object.entries(hidden)) {
      assert.equal(visibleText(text), shown)
      assert.equal(plain(text), shown)
    }
    assert.equal(plain('a\nb\tc\rd'), 'a b\\x09c\\x0dd')
  })

  test('is not what other scripts and pictures need', ({ assert }) => {
    const needed = [
      '👩‍👩‍👧‍👦 family',
      '❤️ 1️⃣ #️⃣',
      '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}',
      'می\u200cخواهم',
      'क्\u200dष',
      'שלום',
      'Zwölf naïve\tété\n',
      '日本語',
    ]
    for (const text of needed) assert.equal(visibleText(text), text)
  })

  test('stays in the values of forms and addresses', ({ assert }) => {
    const html = `<p title="${TURNED}" data-x="${TURNED}">${TURNED}<b>${TURNED}</b></p><textarea name="a">${TURNED}</textarea><i>${TURNED}</i><input value="${TURNED}" aria-label="${TURNED}">`
    const shown = visibleText(TURNED)
    assert.equal(
      visibleMarkup(html),
      `<p title="${shown}" data-x="${TURNED}">${shown}<b>${shown}</b></p><textarea name="a">${TURNED}</textarea><i>${shown}</i><input value="${TURNED}" aria-label="${shown}">`
    )
  })

  test('is written out by every page, since all are rendered in one place', async ({ assert }) => {
    const at = { at: 0, iso: 'x', exact: TURNED, clock: TURNED, relative: TURNED }
    const html = await new Views().render('components/moment', {
      at,
      form: 'clock',
      $props: new Map(),
    })
    assert.notInclude(html, '\u202e')
    assert.include(html, visibleText(TURNED))
  })
})
