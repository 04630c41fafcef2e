import { answeredUnchanged, refreshOf, tagOf } from '../conditional.ts'
import { wishOf } from '../negotiation.ts'
import { framePage, type PageInput } from '../presenters/page.ts'
import type { Page } from '../presenters/types.ts'
import type { Viewer } from '../viewer.ts'
import { tellPageState } from './page_state.ts'

type PageAnswer = Omit<PageInput, 'fragment' | 'stream' | 'revision'> & {
  template: string
  /** Asked for before anything that the page shows was read: what happens meanwhile is then announced again, never missed. */
  revision: number
}

/**
 * Answers with a page that lives, or with its region alone where our script asks for it; with 304 where nothing on it has changed.
 *
 * @param data  What the template gets beside the frame.
 */
export async function answerPage(
  viewer: Viewer,
  { template, ...frame }: PageAnswer,
  data: (page: Page) => object
): Promise<string | void> {
  const { ctx, dashboard } = viewer
  const page = await framePage(viewer, {
    ...frame,
    fragment: wishOf(ctx) === 'fragment',
    stream: { page: frame.kind },
  })
  const html = await dashboard.views.render(template, { page, ...data(page) })
  tellPageState(ctx, page)
  if (refreshOf(ctx) !== null && answeredUnchanged(ctx, tagOf(html))) return
  return html
}
