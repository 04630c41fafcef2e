import { readdir, readFile } from 'node:fs/promises'
import { test } from '@japa/runner'

const VIEWS = new URL('../../../resources/views/', import.meta.url)

/** What `html.attrs` may be given as it is: our own words, marks, figures, addresses and choices between them. */
const OURS = [
  /^'[^']*'$/,
  /^(null|undefined|true|false)$/,
  /\.(url|mark|status|direction|milliseconds|at|last|active|left|on|open|cspNonce|stream|terminal|contextIsError|current|allowed|reason)$/,
  /^(busy|dot|disabled|cspNonce)$/,
  /^html\.escape\(/,
]

async function templates(): Promise<Map<string, string>> {
  const files = await readdir(VIEWS, { recursive: true })
  const names = files.filter((file) => file.endsWith('.edge'))
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, VIEWS), 'utf8')))
  return new Map(names.map((name, at) => [name, texts[at]]))
}

/** Results that an expression may have: `a ? b : c` has b and c, `a && b` has b. */
function results(expression: string): string[] {
  const choice = /^(.*?)\?(?![?.])(.*):(.*)$/.exec(expression)
  const parts = choice ? [choice[2], choice[3]] : expression.split(/\?\?|\|\|/)
  return parts
    .map((part) => part.split('&&').at(-1)!.trim())
    .filter((part) => !/[=<>]=|!/.test(part))
}

test.group('Templates', () => {
  test('print nothing unescaped but pieces that they escape themselves', async ({ assert }) => {
    for (const [name, text] of await templates()) {
      for (const [raw] of text.matchAll(/\{\{\{.*?\}\}\}/gs)) {
        assert.match(raw, /html\.escape\(token\.text\)|\$slots\.main\(\)/, `${name}: ${raw}`)
      }
      assert.notInclude(text, 'html.safe', name)
    }
  })

  test('escape texts that they put into lists of attributes, which Edge does not', async ({
    assert,
  }) => {
    let seen = 0
    for (const [name, text] of await templates()) {
      for (const [, list] of text.matchAll(/html\.attrs\(\{(.*?)\}\)/gs)) {
        for (const [, value] of list.matchAll(
          /(?:'[\w-]+'|\w+):\s*((?:'[^']*'|\([^)]*\)|[^,'(])+)/g
        )) {
          for (const result of results(value.trim())) {
            seen++
            assert.isTrue(
              OURS.some((pattern) => pattern.test(result)),
              `${name}: ${result}`
            )
          }
        }
      }
    }
    assert.isAbove(seen, 20)
  })

  test('have no inline style, script or handler', async ({ assert }) => {
    for (const [name, text] of await templates()) {
      assert.notMatch(text, /\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\ssrc=)|hx-on|js:/, name)
    }
  })
})
