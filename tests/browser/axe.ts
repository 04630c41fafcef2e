import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const script = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

type Axe = {
  run(options: {
    runOnly?: string[]
  }): Promise<{ violations: { id: string; nodes: { target: unknown[] }[] }[] }>
}

/**
 * What axe finds wrong with the page as it is now: rule and element, one text each.
 *
 * @param only  Rules to look at: `color-contrast` is all that another colour scheme may break.
 */
export async function violations(page: Page, only?: string[]): Promise<string[]> {
  const isThere = await page.evaluate(() => 'axe' in globalThis)
  // Evaluated by the debugger and not by a script element, which the page's policy forbids.
  if (!isThere) await page.evaluate(await readFile(script, 'utf8'))
  return page.evaluate(
    async (options) => {
      const { axe } = globalThis as unknown as { axe: Axe }
      const { violations: found } = await axe.run(options)
      return found.flatMap(({ id, nodes }) =>
        nodes.map(({ target }) => `${id}: ${target.join(' ')}`)
      )
    },
    only ? { runOnly: only } : {}
  )
}
