const BAR = 24

/** How often a bar is drawn anew, ms. */
const DRAW = 100

/**
 * A bar that fills in place: `████░░░░ 50 %  what is done`.
 */
export class ProgressBar {
  #drawnAt = -Infinity

  /**
   * @param draw replaces the line that stands there
   */
  constructor(private draw: (line: string) => void) {}

  /** Draws it when it is time, and in any case at the end. */
  update(done: number, total: number, text: string): void {
    const now = performance.now()
    const share = total > 0 ? Math.min(done / total, 1) : 1
    if (now - this.#drawnAt < DRAW && share < 1) return
    this.#drawnAt = now
    const full = Math.round(share * BAR)
    const bar = `${'█'.repeat(full)}${'░'.repeat(BAR - full)}`
    this.draw(`${bar} ${Math.floor(share * 100)} %  ${text}`)
  }
}
