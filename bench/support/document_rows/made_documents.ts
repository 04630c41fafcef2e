import PDFDocument from 'pdfkit'

const WORDS =
  'the worker reads a page and writes what it holds as text a heading stands above each part of it and tables show which option has which value while lists name what is to be done first and what comes after when nothing else is known of a document its letters tell by their size what is important'.split(
    ' '
  )

/** Some words, always the same for the same number. */
function sentence(seed: number, words: number): string {
  const text = Array.from(
    { length: words },
    (_, index) => WORDS[(seed * 7 + index * 5) % WORDS.length]
  )
  return `${text.join(' ')}.`.replace(/^./, (letter) => letter.toUpperCase())
}

/**
 * A manual as a writer makes it: on each page a running head and a number, a heading, paragraphs, a list and a small table.
 */
export async function madePdf(pages: number): Promise<Uint8Array> {
  const document = new PDFDocument({ bufferPages: true, margin: 72 })
  const parts: Buffer[] = []
  document.on('data', (part: Buffer) => parts.push(part))
  const ended = new Promise((resolve) => document.on('end', resolve))
  for (let page = 0; page < pages; page++) {
    if (page > 0) document.addPage()
    document.fontSize(8).font('Helvetica').text('A manual of many pages', 72, 40)
    document
      .fontSize(16)
      .font('Helvetica-Bold')
      .text(`${page + 1} What part ${page} tells`, 72, 80)
    document.fontSize(10).font('Times-Roman')
    for (let part = 0; part < 6; part++) {
      document.text(sentence(page * 11 + part, 60), { width: 450 }).moveDown()
    }
    for (let item = 0; item < 4; item++) document.text(`• ${sentence(page + item, 8)}`)
    document.moveDown()
    for (let row = 0; row < 4; row++) {
      const y = document.y
      document
        .text(`option ${row}`, 72, y)
        .text(`${page * row}`, 220, y)
        .text('a value', 360, y)
    }
    document.fontSize(8).text(String(page + 1), 300, 715, { lineBreak: false })
  }
  document.end()
  await ended
  return Buffer.concat(parts)
}

/**
 * A Markdown text of about so many bytes.
 */
export function madeMarkdown(bytes: number): Uint8Array {
  const parts: string[] = []
  for (let size = 0, part = 0; size < bytes; part++) {
    const text = `## Part ${part}\n\n${sentence(part, 60)}\n${sentence(part + 1, 40)}\n\n- ${sentence(part, 9)}\n- ${sentence(part + 2, 12)}\n\n\`\`\`sh\nrun --part ${part}\n\`\`\`\n\n`
    parts.push(text)
    size += text.length
  }
  return Buffer.from(parts.join(''))
}
