import type { HttpContext } from '@adonisjs/core/http'
import { InvalidInputException } from '../../errors.ts'
import { fieldsOf } from '../parameters.ts'
import { pageBefore } from '../page_before.ts'
import { Clock } from '../presenters/format.ts'
import {
  DENSITIES,
  PREFERENCES_COOKIE,
  THEMES,
  writePreferences,
  type Preferences,
} from '../viewer.ts'
import { shown } from '../../shown.ts'

/**
 * How this browser wants its pages: kept in a cookie of its own, so that they are right from the first pixel.
 */
export default class PreferencesController {
  async store(ctx: HttpContext) {
    const { preferences, urls } = ctx.queuedeck
    const { theme, density, zone } = fieldsOf(ctx, ['theme', 'density', 'zone'])
    const next: Preferences = {
      theme: choice(theme, THEMES, 'theme') ?? preferences.theme,
      density: choice(density, DENSITIES, 'density') ?? preferences.density,
      zone: readZone(zone) ?? preferences.zone,
    }
    ctx.response.plainCookie(PREFERENCES_COOKIE, writePreferences(next), {
      encode: false,
      httpOnly: true,
      sameSite: 'lax',
      path: '/',
      maxAge: '365 days',
    })
    if (ctx.request.accepts(['html', 'json']) === 'json') return ctx.response.status(204)
    return ctx.response
      .redirect()
      .status(303)
      .toPath(pageBefore(ctx, urls.dashboard()) ?? urls.dashboard())
  }
}

function choice<T extends string>(value: unknown, known: readonly T[], field: string) {
  if (value === undefined || value === '') return undefined
  const found = known.find((name) => name === value)
  if (found) return found
  throw new InvalidInputException(
    `"${field}" must be ${known.join(' or ')}, not "${shown(value, 60)}"`,
    field
  )
}

function readZone(value: unknown): string | undefined {
  if (value === undefined || value === '') return undefined
  if (typeof value === 'string' && value.length < 64 && Clock.knows(value)) return value
  throw new InvalidInputException(
    `"zone" must be a time zone such as Europe/Lisbon, not "${shown(value, 60)}"`,
    'zone'
  )
}
