import { test } from '@japa/runner'
import { htmlAsMarkdownSteps } from '#app/services/documents/html/markdown'
import { parseDocument } from '#app/services/documents/parsed_document'

const parse = (html: string) =>
  parseDocument('a.html', Buffer.from(html), { pages: 10, overlap: 1 })

const text = async (html: string) => (await parse(html)).text

test.group('Documents: HTML', () => {
  test('reads what a person reads', async ({ assert }) => {
    const document = await parse(`<!doctype html>
<html><head><title>A manual</title><style>p { color: red }</style></head>
<body><nav><a href="/">Home</a></nav>
<!-- <h1>not this</h1> -->
<h2>Install &amp; run</h2>
<p>Open the <b>first</b> page,<br>then the <code>second</code> &mdash; &eacute;t&#233; &#x1F600;.
<ul><li>One</li><li>Two<ol><li>inner</li></ol></li></ul>
<pre><code>$ run --all
  done
</code></pre>
<table><tr><th>Option</th><th>Value</th></tr><tr><td>a|b</td><td><p>1</p></td></tr></table>
<script>document.write('<p>no</p>')</script>
<blockquote>Said &notknown; and done</blockquote></body></html>`)
    assert.equal(
      document.text,
      [
        '# A manual',
        '## Install & run',
        'Open the first page,\nthen the `second` — été 😀.',
        '- One\n- Two\n  1. inner',
        '```\n$ run --all\n  done\n```',
        '| Option | Value |\n| --- | --- |\n| a\\|b | 1 |',
        'Said &notknown; and done',
      ].join('\n\n')
    )
    assert.equal(document.format, 'html')
    assert.deepEqual(
      document.blocks.flatMap(({ title }) => title ?? []),
      ['A manual', 'Install & run']
    )
  })

  test('makes no heading of what is none', async ({ assert }) => {
    assert.equal(await text('<p># not a heading</p><p>1 &lt; 2</p>'), '\\# not a heading\n\n1 < 2')
    assert.equal(await text('<pre># code</pre>'), '```\n# code\n```')
    assert.equal(await text('<pre>```\nx</pre>'), '````\n```\nx\n````')
  })

  test('makes nothing of Markdown of words: {html}')
    .with([
      { html: '<p>- no list<br>2. no list', says: '\\- no list\n2\\. no list' },
      { html: '<p>* no<p>+ no<p>1) no', says: '\\* no\n\n\\+ no\n\n1\\) no' },
      { html: '<p>&gt; no quotation', says: '\\> no quotation' },
      { html: '<p>no title<br>---<p>***', says: 'no title\n\\---\n\n\\***' },
      { html: '<ul><li>- one<li>1. two</ul>', says: '- \\- one\n- 1\\. two' },
      {
        html: '<p>-1 is a number, 1.5 too, #1 as well',
        says: '-1 is a number, 1.5 too, #1 as well',
      },
    ])
    .run(async ({ assert }, { html, says }) => assert.equal(await text(html), says))

  test('keeps numbers and words as they are read: {html}')
    .with([
      { html: '<p>10<sup>6</sup> m<sup>2</sup>, 10<sup>-3</sup>', says: '10⁶ m², 10⁻³' },
      { html: '<p>1010<sub>2</sub>, H<sub>2</sub>O', says: '1010₂, H2O' },
      { html: '<p>the 1<sup>st</sup> note<sup>[1]</sup>', says: 'the 1st note[1]' },
      { html: '<ol start="5"><li>a<li value=9>b<li>c</ol>', says: '5. a\n9. b\n10. c' },
      { html: '<p>Box&shy;k\u00e4mp\u00adfer', says: 'Boxkämpfer' },
    ])
    .run(async ({ assert }, { html, says }) => assert.equal(await text(html), says))

  test('keeps cells below their heads, beside one of several columns or rows', async ({
    assert,
  }) => {
    const rows = [
      '<tr><td colspan=99>Fruit</td></tr>',
      '<tr><th colspan="2">Name</th><th>Price</th></tr>',
      '<tr><td rowspan="2">Apple</td><td>red</td><td rowspan=2>3</td></tr>',
      '<tr><td>green</td></tr><tr><td>Pear</td><td></td><td>4</td></tr>',
    ]
    assert.equal(
      await text(`<table>${rows.join('')}</table>`),
      [
        '| Fruit |  |  |\n| --- | --- | --- |\n| Name |  | Price |',
        '| Apple | red | 3 |\n|  | green |  |\n| Pear |  | 4 |',
      ].join('\n')
    )
    assert.equal(await text('<table><tr><td colspan=3>Only</td></tr></table>'), 'Only')
  })

  test('keeps code in a line whole: {html}')
    .with([
      { html: 'a <code>`b`</code> c', says: 'a `` `b` `` c' },
      { html: '<p>Run <code>echo ``x`` | y</code>.', says: 'Run ```echo ``x`` | y```.' },
      { html: '<p>a<code> b </code>c', says: 'a `b` c' },
      { html: '<p>a<code></code>b', says: 'ab' },
      { html: '<kbd><kbd>Ctrl</kbd> <kbd>C</kbd></kbd>', says: '`Ctrl C`' },
      { html: '<p><code>- a<br># b</code>', says: '`- a # b`' },
      { html: '<p><code>open<p>words', says: '`open`\n\nwords' },
      { html: '<table><tr><td><code>a`b<td>c</table>', says: '| ``a`b`` | c |\n| --- | --- |' },
    ])
    .run(async ({ assert }, { html, says }) => assert.equal(await text(html), says))

  test('says in Markdown what the words are: {html}')
    .with([
      {
        html: '<p>2 * 3 * 4, *.ts and *.js, a_b_c, ~/a, it`s',
        says: '2 * 3 * 4, *.ts and *.js, a_b_c, ~/a, it`s',
      },
      { html: '<p>__init__ and _x_', says: '\\_\\_init\\_\\_ and \\_x\\_' },
      { html: '<p>a*b*c ~~no~~', says: 'a\\*b\\*c \\~\\~no\\~\\~' },
      { html: '<p>no `code` but <code>c</code>', says: 'no \\`code\\` but `c`' },
      { html: '<p>it`s <code>c</code>', says: 'it\\`s `c`' },
      { html: '<p>[no](link) ![no](picture) [1]', says: '\\[no](link) !\\[no](picture) [1]' },
      { html: '<p>&lt;b&gt; 1 &lt; 2 &amp;lt; &amp;c R&amp;D', says: '\\<b> 1 < 2 \\&lt; &c R&D' },
      { html: '<p>C:\\dir \\*', says: 'C:\\dir \\\\*' },
      { html: '<h2>C# #</h2>', says: '## C# \\#' },
      { html: '<table><tr><td>*a*<td>b|c</table>', says: '| \\*a\\* | b\\|c |\n| --- | --- |' },
    ])
    .run(async ({ assert }, { html, says }) => assert.equal(await text(html), says))

  test('loses nothing and says nothing twice: {html}')
    .with([
      { html: '<pre>a<pre>b</pre>c</pre>d', says: '```\nabc\n```\n\nd' },
      { html: '<nav>Menu<h1>All</h1><p>text', says: 'Menu\n\n# All\n\ntext' },
      { html: '<p>a</p><select><option>b<button>c<p>d', says: 'a\n\nbc\n\nd' },
      { html: '<p>a<script>b<p>c', says: 'a' },
      { html: '<table><td>a<table><td>b<table><td>c</table>d</table>e</table>', says: 'a b c d e' },
      { html: '<table><td><h2>a</h2></table><p>b', says: 'a\n\nb' },
    ])
    .run(async ({ assert }, { html, says }) => assert.equal(await text(html), says))

  test('gives way while it reads what is long: {what}')
    .with([
      { what: 'a paragraph', html: `<p>${'*a word_ '.repeat(100_000)}` },
      { what: 'code', html: `<pre>${'a`` word\n'.repeat(200_000)}` },
      { what: 'a cell', html: `<table><td>${'word &amp; '.repeat(150_000)}` },
      { what: 'a table', html: `<table>${'<tr><td>a<td>b'.repeat(20_000)}` },
      { what: 'a list', html: '<li>x'.repeat(50_000) },
    ])
    .run(({ assert }, { html }) => {
      const steps = htmlAsMarkdownSteps(html)
      let [longest, since] = [0, process.cpuUsage()]
      while (steps.next().done !== true) {
        const { user, system } = process.cpuUsage(since)
        longest = Math.max(longest, user + system)
        since = process.cpuUsage()
      }
      assert.isBelow(longest / 1_000, 250)
    })

  test('takes a reference whole, however many digits it has', async ({ assert }) => {
    const numbers = `&#${'9'.repeat(400)};|&#x${'f'.repeat(400)};|&#000000000065;|&#x0000000041;`
    assert.equal(await text(`<p>${numbers}`), '\ufffd|\ufffd|A|A')
  })

  test('takes a table that arranges the page apart', async ({ assert }) => {
    const long = 'word '.repeat(200).trim()
    assert.equal(await text(`<table><tr><td>Menu<td>${long}</table>`), `Menu\n\n${long}`)
  })

  test('reads what is broken to its end, in linear time: {what}')
    .with([
      { what: 'tags that nobody closes', html: '<div><ul><li>a'.repeat(20_000) },
      { what: 'tables in tables', html: '<table><tr><td>a'.repeat(3_000) },
      { what: 'quotes that nobody closes', html: '<a href="'.repeat(20_000) },
      { what: 'comments that nobody closes', html: '<!--'.repeat(20_000) },
      { what: 'angle brackets', html: '<'.repeat(200_000) },
      { what: 'scripts that nobody closes', html: '<script></scrip>'.repeat(20_000) },
      { what: 'references', html: '&amp'.repeat(100_000) },
      { what: 'spaces', html: `<p>${' '.repeat(300_000)}x<br>${'`'.repeat(100_000)}` },
    ])
    .run(async ({ assert }, { html }) => {
      const begun = performance.now()
      await parse(html)
      assert.isBelow(performance.now() - begun, 5_000)
    })
})
