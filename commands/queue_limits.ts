import { flags } from '@adonisjs/core/ace'
import { plain } from '../src/console/job_output.ts'
import { readLimitChanges } from '../src/console/limit_options.ts'
import { scopeText } from '../src/transport/limit_scope.ts'
import { QueueCommand } from '../src/console/queue_command.ts'
import { ChangeLimit } from '../src/operations/change_limit.ts'
import type { LimitSettings } from '../src/types.ts'
import type { LimitScope, LimitState, LimitsView, LimitValue } from '../src/transport/limits.ts'

/**
 * Shows and changes how many jobs may run at once.
 */
export default class QueueLimits extends QueueCommand {
  static override commandName = 'queue:limits'
  static override description =
    'Show or change how many jobs run at once, and whose jobs wait for it'
  static override help = [
    'A limit is a whole number, "none" for no limit, or "default" for what config/queuedeck.ts says.',
    'A change applies at once, to jobs that wait already too, and stays until it is set to "default".',
    '',
    '  {{ binaryName }} queue:limits --json',
    '  {{ binaryName }} queue:limits --global=20 --user=5',
    '  {{ binaryName }} queue:limits --user-of=alice:10 --type-of=reports.build:2 --queue-of=mail:none',
  ]

  @flags.string({ description: 'Jobs over all queues' })
  declare global?: string

  @flags.string({ description: 'Jobs of each user' })
  declare user?: string

  @flags.array({ description: 'Jobs of one user, e.g. alice:10' })
  declare userOf?: string[]

  @flags.array({ description: 'Jobs of one type, e.g. reports.build:2' })
  declare typeOf?: string[]

  @flags.array({ description: 'Jobs of one queue, e.g. mail:5' })
  declare queueOf?: string[]

  protected async answer() {
    const changes = readLimitChanges(this)
    const transport = await this.app.container.make('queuedeck.transport')
    const { limits } = transport
    const operation = new ChangeLimit(transport)
    let changed = false
    for (const { scope, value } of changes) {
      const isNew = await operation.handle(scope, value, this.actor)
      changed ||= isNew
      const what = value === 'default' ? 'as configured' : limitText(value)
      this.say(`${plain(scopeText(scope))}: ${what}${isNew ? '' : ', as before'}`)
    }
    const view = await limits.view()
    if (changes.length > 0) this.say('')
    this.#tell(view)
    const { limits: configured } = await this.app.container.make('queuedeck.config')
    const awaited = notYetInForce(view, configured)
    if (awaited.length > 0) {
      this.say(`configured, in force once a worker starts: ${awaited.map(plain).join(', ')}`)
    }
    return {
      changed,
      limits: view.limits.map(({ set, ...limit }) => ({
        ...limit,
        set: set && { by: set.by, at: new Date(set.at).toISOString() },
      })),
      users: view.users,
      heldBack: view.heldBack,
      complete: view.complete,
    }
  }

  #tell({ limits, users, heldBack, complete }: LimitsView): void {
    for (const limit of limits) this.say(limitLine(limit))
    for (const { user, running, limit } of users) {
      const of = limit === null ? '' : ` of ${limit}`
      this.say(`user ${plain(user)} runs ${running}${of}`)
    }
    if (heldBack.length === 0) this.say('no job is held back by the limit of a user or a type')
    for (const { queue, kind, name, jobs } of heldBack) {
      this.say(`held back in queue ${plain(queue)}: ${jobs} by the ${kind} limit of ${plain(name)}`)
    }
    if (!complete) this.say('and more')
  }
}

function limitText(limit: LimitValue): string {
  return limit === null ? 'no limit' : String(limit)
}

function limitLine(limit: LimitState): string {
  const most = limit.kind === 'user' && limit.user === undefined ? 'at most ' : ''
  const running = `${most}${limit.running} running`
  const set = limit.set
    ? `, set by ${plain(limit.set.by)} at ${new Date(limit.set.at).toISOString()}, ${limit.configured === null ? 'not configured' : `configured: ${limit.configured}`}`
    : ''
  return `${plain(scopeText(limit))}: ${limitText(limit.limit)}, ${running}${set}`
}

/** What the configuration of this process says and no worker has put into force yet: `global 20`. */
function notYetInForce({ limits }: LimitsView, settings: LimitSettings): string[] {
  const known = new Map(limits.map((limit) => [scopeText(limit), limit.configured]))
  const wanted: [LimitScope, LimitValue][] = [
    [{ kind: 'global' }, settings.global],
    [{ kind: 'user' }, settings.user],
    ...scopes(settings.users, (user) => ({ kind: 'user', user })),
    ...scopes(settings.types, (type) => ({ kind: 'type', type })),
    ...scopes(settings.queues, (queue) => ({ kind: 'queue', queue })),
  ]
  return wanted
    .filter(([scope, limit]) => {
      const now = known.get(scopeText(scope))
      /** Only to a user it makes a difference whether no limit is said or nothing. */
      const isSilent = now === undefined && limit === null
      return isSilent ? scope.kind === 'user' && scope.user !== undefined : now !== limit
    })
    .map(([scope, limit]) => `${scopeText(scope)} ${limitText(limit)}`)
}

function scopes(
  limits: Record<string, number | null>,
  scope: (name: string) => LimitScope
): [LimitScope, LimitValue][] {
  return Object.entries(limits).map(([name, limit]) => [scope(name), limit])
}
