import type { AlertView } from '../../types.ts'
import type { Viewer } from '../viewer.ts'
import { isLoud } from './alerts_page.ts'
import type { NavItem, Page } from './types.ts'

export type PageInput = {
  title: string
  kind: Page['kind']
  fragment?: boolean
  /** Parameters of the page's stream; null for a page that does not live. */
  stream: Record<string, string | string[]> | null
  revision?: number
  search?: string
  /** Open alerts, where the request read them already. */
  alerts?: AlertView[] | null
  /** Since when the database is away, as far as this request saw. */
  databaseAway?: boolean
}

/** How new a page is, and what stands around its region and changes without it. */
export type PageState = Pick<Page, 'revision' | 'more' | 'away'>

/**
 * The frame of every page.
 */
export async function framePage(viewer: Viewer, input: PageInput): Promise<Page> {
  const { dashboard, ctx, urls, clock, preferences } = viewer
  const { kind, title } = input
  const actor = await viewer.actor()
  const name = actor.name ?? actor.id
  const open = (input.alerts ?? (await dashboard.openAlerts())) || []
  const loud = open.filter(isLoud).length
  const nav = navigation(urls, kind, loud)
  return {
    title,
    kind,
    fragment: input.fragment ?? false,
    urls: {
      dashboard: urls.dashboard(),
      jobs: urls.jobs(),
      workers: urls.workers(),
      alerts: urls.alerts(),
      cleanups: urls.cleanups(),
      confirmBulk: urls.confirmBulk(),
      preferences: urls.preferences(),
      current: dashboard.addressFor(ctx),
    },
    assets: await dashboard.assets.urls(urls),
    nav,
    more: { current: nav.some((item) => item.more === true && item.current), count: loud },
    theme: preferences.theme,
    density: preferences.density,
    zone: { name: clock.zone, known: preferences.zone !== null },
    csrf: ctx.request.csrfToken ?? null,
    cspNonce: nonceOf(ctx),
    stream: input.stream && urls.stream(input.stream),
    revision: input.revision ?? 0,
    now: clock.now,
    actor: { id: actor.id, name, initials: initials(name) },
    manage: await viewer.mayManage(),
    search: input.search ?? '',
    away: await away(viewer, input.databaseAway ?? false),
    flash: readFlash(viewer),
  }
}

/**
 * @param loud open alerts that nobody muted
 */
function navigation(urls: Viewer['urls'], kind: Page['kind'], loud: number): NavItem[] {
  const current = kind === 'job' || kind === 'bulk' ? 'jobs' : kind
  const item = (key: Page['kind'], label: string, icon: string, url: string) => ({
    ...{ key, label, icon, url },
    current: key === current,
  })
  return [
    item('dashboard', 'Dashboard', 'dashboard', urls.dashboard()),
    item('jobs', 'Jobs', 'jobs', urls.jobs()),
    item('queues', 'Queues', 'queue', urls.queues()),
    { ...item('schedules', 'Schedules', 'calendar', urls.schedules()), more: true },
    item('workers', 'Workers', 'worker', urls.workers()),
    { ...item('alerts', 'Alerts', 'bell', urls.alerts()), more: true, count: loud },
    { ...item('cleanups', 'Cleanup', 'broom', urls.cleanups()), more: true },
    { ...item('audit', 'Audit', 'audit', urls.audit()), more: true },
  ]
}

async function away({ dashboard, clock }: Viewer, database: boolean): Promise<Page['away']> {
  const list: Page['away'] = []
  const redis = dashboard.redisAwaySince
  if (redis !== null) {
    list.push({
      service: 'redis',
      text: 'Redis does not answer: nothing starts or ends now, and actions fail, except those on alerts. History stays readable.',
      since: clock.moment(redis),
    })
  }
  if (database) {
    list.push({
      service: 'database',
      text: 'The database does not answer: jobs go on, and their history is written once it is back.',
      since: null,
    })
  }
  const mirror = await dashboard.mirror()
  if (mirror?.sql.since && !database) {
    list.push({
      service: 'database',
      text: 'The database takes no records: jobs go on, and their history follows once it does.',
      since: clock.moment(mirror.sql.since),
    })
  }
  if (redis === null && mirror === null) {
    list.push({
      service: 'mirror',
      text: 'No mirror runs: what happens now is not in the history yet. Start "node ace queue:mirror" or a worker.',
      since: null,
    })
  }
  return list
}

/** Addresses and other names without a letter have none. */
function initials(name: string): string {
  if (!/\p{L}/u.test(name)) return '–'
  const words = name.split(/[\s@._-]+/).filter(Boolean)
  const letters = (words.length > 1 ? [words[0], words.at(-1)!] : words).map(
    (word) => Array.from(word)[0]
  )
  return letters.join('').toUpperCase() || '–'
}

export const FLASH = 'queuedeck'

/**
 * What the action before this page came to. Hosts without sessions have none: there the page itself shows the new state.
 */
function readFlash({ ctx }: Viewer): Page['flash'] {
  const session = (ctx as { session?: { flashMessages: { get(key: string): unknown } } }).session
  const flash = session?.flashMessages.get(FLASH)
  if (typeof flash === 'object' && flash !== null) return flash as Page['flash']
  /** Shield leads back to the form whose token is no longer good, and says so there only. */
  const errors = session?.flashMessages.get('errorsBag') as Record<string, unknown> | undefined
  return errors?.E_BAD_CSRF_TOKEN === undefined
    ? null
    : {
        level: 'error',
        ended: true,
        text: 'Nothing was done: the session of that page had ended. Try once more',
      }
}

/** What a policy of the host's Shield that lists `@nonce` wants of scripts and styles; null where it has none. */
export function nonceOf({ response }: Viewer['ctx']): string | null {
  return (response as { nonce?: string }).nonce ?? null
}
