/** What a screen writes to: the standard output, or a stream of a test. */
export type ScreenOutput = {
  isTTY?: boolean
  columns?: number
  rows?: number
  write(text: string): unknown
  on(event: 'resize', listener: () => void): unknown
  off(event: 'resize', listener: () => void): unknown
}

/** Where keys come from. */
export type ScreenInput = {
  isTTY?: boolean
  setRawMode?(raw: boolean): unknown
  on(event: 'data', listener: (keys: Buffer | string) => void): unknown
  off(event: 'data', listener: (keys: Buffer | string) => void): unknown
  resume(): unknown
  pause(): unknown
}

const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const REST_OF_LINE = '\u001b[K'
const REST = '\u001b[J'

/** `q`, Ctrl-C, Ctrl-D. */
// eslint-disable-next-line no-control-regex
const QUIT = /[qQ\u0003\u0004]/

/**
 * The whole terminal, on its second page: what stood there before is there again afterwards.
 */
export class Screen {
  #drawn = ''
  #open = false
  #leaving: (() => void)[] = []

  constructor(
    private output: ScreenOutput,
    private input: ScreenInput
  ) {}

  get columns(): number {
    return this.output.columns || 80
  }

  get rows(): number {
    return this.output.rows || 24
  }

  /** Takes the terminal over until `leave`. */
  enter(on: { quit: () => void; resized: () => void }): void {
    this.#open = true
    this.output.write(ENTER)
    const pressed = (keys: Buffer | string) => {
      if (QUIT.test(String(keys))) on.quit()
    }
    const resized = () => {
      this.#drawn = ''
      on.resized()
    }
    this.output.on('resize', resized)
    this.input.on('data', pressed)
    this.input.setRawMode?.(true)
    this.input.resume()
    const leave = () => this.leave()
    /** However the process ends, the terminal is as it was. */
    process.once('exit', leave)
    this.#leaving.push(
      () => this.output.off('resize', resized),
      () => this.input.off('data', pressed),
      () => process.off('exit', leave)
    )
  }

  /** Draws what has changed, in place. */
  draw(lines: string[]): void {
    const text = lines
      .slice(0, this.rows)
      .map((line) => line + REST_OF_LINE)
      .join('\r\n')
    if (!this.#open || text === this.#drawn) return
    this.#drawn = text
    this.output.write(HOME + text + REST)
  }

  leave(): void {
    if (!this.#open) return
    this.#open = false
    this.#leaving.splice(0).forEach((undo) => undo())
    this.input.setRawMode?.(false)
    this.input.pause()
    this.output.write(LEAVE)
  }
}
