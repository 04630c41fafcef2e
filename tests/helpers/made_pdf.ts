import { Buffer } from 'node:buffer'
import { deflateSync } from 'node:zlib'

type Page = { content: string | Buffer; dictionary?: string; resources?: string }

/**
 * A small PDF file for tests, written by hand so that anything may be wrong with it. `objects` are further ones by their
 * number, from 1,000 on, `fonts` further fonts by their names, such as `/F4 1000 0 R`.
 */
export function madePdf(
  pages: Page[],
  options: {
    objects?: Record<number, string | Buffer>
    fonts?: string
    kids?: string
    count?: number
  } = {}
): Buffer {
  const objects = new Map<number, Buffer>()
  const put = (number: number, ...parts: (string | Buffer)[]) =>
    objects.set(number, Buffer.concat(parts.map((part) => Buffer.from(part as string, 'latin1'))))
  const fonts = `/F1 3 0 R /F2 4 0 R /F3 5 0 R ${options.fonts ?? ''}`
  put(1, '<< /Type /Catalog /Pages 2 0 R >>')
  ;['Times-Roman', 'Times-Bold', 'Courier'].forEach((name, index) =>
    put(
      3 + index,
      `<< /Type /Font /Subtype /Type1 /BaseFont /${name} /Encoding /WinAnsiEncoding >>`
    )
  )
  const kids = pages.map(({ content, dictionary = '', resources = '' }, index) => {
    const number = 10 + index * 2
    put(
      number,
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] ${dictionary} /Resources << /Font << ${fonts} >> ${resources} >> /Contents ${number + 1} 0 R >>`
    )
    const packed = Buffer.isBuffer(content) ? content : Buffer.from(content, 'latin1')
    put(number + 1, ...streamOf(packed, Buffer.isBuffer(content) ? '/Filter /FlateDecode' : ''))
    return `${number} 0 R`
  })
  put(
    2,
    `<< /Type /Pages /Count ${options.count ?? pages.length} /Kids [${options.kids ?? kids.join(' ')}] >>`
  )
  for (const [number, body] of Object.entries(options.objects ?? {})) put(Number(number), body)
  return fileOf(objects)
}

/** An object with a stream; its dictionary has these entries too. */
export function streamOf(content: string | Buffer, entries = ''): [string, Buffer, string] {
  const bytes = Buffer.from(content as string, 'latin1')
  return [`<< /Length ${bytes.length} ${entries} >>\nstream\n`, bytes, '\nendstream']
}

/** Text in Times (F1), bold (F2) or Courier (F3), its baseline at a place from the left and the bottom. */
export function textAt(x: number, y: number, text: string, size = 11, font = 'F1'): string {
  return `BT /${font} ${size} Tf 1 0 0 1 ${x} ${y} Tm (${text.replace(/[\\()]/g, '\\$&')}) Tj ET\n`
}

/** Some megabytes of spaces, packed into a few kilobytes; packed again where asked. */
export function bombOf(megabytes: number): Buffer {
  return deflateSync(Buffer.alloc(megabytes * 1_048_576, ' '), { level: 9 })
}

function fileOf(objects: Map<number, Buffer>): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.4\n')]
  const places = new Map<number, number>()
  let length = parts[0].length
  const add = (part: Buffer) => {
    parts.push(part)
    length += part.length
  }
  for (const number of [...objects.keys()].sort((a, b) => a - b)) {
    places.set(number, length)
    add(Buffer.from(`${number} 0 obj\n`))
    add(objects.get(number)!)
    add(Buffer.from('\nendobj\n'))
  }
  const start = length
  const last = Math.max(...objects.keys())
  let table = `xref\n0 ${last + 1}\n`
  for (let number = 0; number <= last; number++) {
    const place = places.get(number)
    table +=
      place === undefined
        ? '0000000000 65535 f \n'
        : `${String(place).padStart(10, '0')} 00000 n \n`
  }
  add(
    Buffer.from(
      `${table}trailer\n<< /Size ${last + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`
    )
  )
  return Buffer.concat(parts)
}
