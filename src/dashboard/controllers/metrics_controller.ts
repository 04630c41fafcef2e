import type { HttpContext } from '@adonisjs/core/http'
import { InvalidInputException } from '../../errors.ts'
import { readMoment, shorten } from '../../records/query/moments.ts'
import { sendJson } from '../negotiation.ts'
import { parametersOf } from '../parameters.ts'
import { metricsJson } from '../presenters/metrics_json.ts'

const PARAMETERS = ['from', 'to', 'step', 'queue', 'type', 'host'] as const
type Parameters = Partial<Record<(typeof PARAMETERS)[number], unknown>>

const HOUR = 3_600_000
const STEPS: Record<string, number> = { minute: 60_000, hour: HOUR }

/** Points of one answer. */
const MOST = 5_000

/** Nothing was measured farther from now, and databases do not count the minutes of all years. */
const FARTHEST = 100 * 365 * 24 * HOUR

/**
 * What happened over time, for programs; people see it on charts.
 */
export default class MetricsController {
  async index(ctx: HttpContext) {
    const { dashboard, clock } = ctx.queuedeck
    const params = parametersOf(ctx, PARAMETERS)
    const now = await dashboard.charts.now()
    const at = (field: 'from' | 'to', otherwise: number) => {
      const text = one(params, field)
      if (text === undefined) return otherwise
      const { at: start, nextDay } = readMoment(text, field, clock.zone, now)
      const moment = field === 'to' ? nextDay : start
      if (Math.abs(moment - now) <= FARTHEST) return moment
      throw new InvalidInputException(
        `"${field}" must lie within 100 years from now, not at "${shorten(text)}"`,
        field
      )
    }
    const to = at('to', now)
    const from = at('from', to - HOUR)
    if (from >= to) throw new InvalidInputException('"from" must be before "to"', 'from')
    const step = stepOf(one(params, 'step'), to - from)
    const filter = {
      queue: one(params, 'queue'),
      type: one(params, 'type'),
      host: one(params, 'host'),
    }
    const [series, hosts] = await Promise.all([
      dashboard.metrics.series({ from, to, step, ...filter }),
      dashboard.metrics.hosts({ from, to, step, host: filter.host }),
    ])
    return sendJson(ctx, metricsJson(series, hosts))
  }
}

/** A parameter that stands in the address once; an empty one counts as absent. */
function one(params: Parameters, name: keyof Parameters): string | undefined {
  const value = params[name]
  if (value === undefined || value === '') return undefined
  if (typeof value === 'string') return value
  throw new InvalidInputException(`"${name}" may be given once`, name)
}

function stepOf(text: string | undefined, length: number): number | undefined {
  if (text === undefined || text === 'auto') return undefined
  const step = STEPS[text]
  if (!Object.hasOwn(STEPS, text)) {
    throw new InvalidInputException(
      `"step" cannot be "${shorten(text)}": give minute, hour or auto`,
      'step'
    )
  }
  if (length / step > MOST) {
    throw new InvalidInputException(
      `The range has more than ${MOST.toLocaleString('en')} steps of a ${text}: make it shorter, or leave "step" out`,
      'step'
    )
  }
  return step
}
