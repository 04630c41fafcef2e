import { Edge } from 'edge.js'
import { visibleMarkup } from '../visible_text.ts'

const FOLDER = new URL('../../resources/views', import.meta.url)

/**
 * The templates of our pages, compiled once for the process whatever the environment: an application in development would
 * otherwise compile a hundred rows at each change. An Edge of our own also keeps globals and plugins of the host out of our pages.
 */
export class Views {
  #edge = new Edge({ cache: true })

  constructor() {
    this.#edge.mount('queuedeck', FOLDER)
  }

  /**
   * What names hide is written out here, for all pages and all that stands in them.
   *
   * @param template  `pages/jobs`, `partials/jobs_rows` …
   */
  async render(template: string, data: object): Promise<string> {
    return visibleMarkup(
      await this.#edge.render(`queuedeck::${template}`, data as Record<string, unknown>)
    )
  }
}
