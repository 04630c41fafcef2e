import { SCHEMA_VERSION } from '../../records/schema.ts'
import { LATE, within } from '../../time/within.ts'
import { CHECKS } from './checks/index.ts'
import type { Check, Server } from './check.ts'
import { awayReason, Facts, type DoctorDependencies } from './facts.ts'
import type { Finding, Severity } from './finding.ts'

/** A finding, and the check that made it. */
export type DoctorFinding = Finding & { check: string }

/** `skipped`: it could not be made, and `reason` says why. */
export type CheckView = {
  name: string
  title: string
  outcome: 'passed' | 'found' | 'skipped'
  reason: string | null
}

export type DoctorReport = {
  /** False where something is a problem. */
  healthy: boolean
  /** Worst first. */
  findings: DoctorFinding[]
  checks: CheckView[]
}

export type DoctorOptions = {
  /** For tests: how long each server may take, ms. */
  patience?: number
  checks?: readonly Check[]
}

/** How long the database, and everything that is asked of both together, may take, ms: the command has to end within ten seconds. */
const PATIENCE = 6_000

const ORDER: Severity[] = ['problem', 'warning', 'info']

/**
 * Finds what keeps jobs from running and says how to mend it. Changes nothing. While Redis or the database is away it says so, and
 * tells what the other one knows.
 */
export class Doctor {
  #dependencies: DoctorDependencies
  #patience: number
  #checks: readonly Check[]

  constructor(
    dependencies: DoctorDependencies,
    { patience = PATIENCE, checks = CHECKS }: DoctorOptions = {}
  ) {
    this.#dependencies = dependencies
    this.#patience = patience
    this.#checks = checks
  }

  /** Looks at everything. Never throws because a server is away. */
  async examine(): Promise<DoctorReport> {
    const away = new Map<Server, string>()
    const findings: DoctorFinding[] = []
    const views: CheckView[] = []
    const database = { isUp: true }
    const facts = new Facts(this.#dependencies, database)
    const first = await Promise.all([this.#redis(), this.#database(), this.#registry()])
    for (const { server, name, title, found, reason } of first) {
      findings.push(...found.map((finding) => ({ ...finding, check: name })))
      views.push({ name, title, outcome: found.length > 0 ? 'found' : 'passed', reason: null })
      if (reason === null || server === null) continue
      away.set(server, reason)
      if (server === 'database') database.isUp = false
    }
    const made = await Promise.all(this.#checks.map((check) => this.#make(check, facts, away)))
    for (const { view, found } of made) {
      views.push(view)
      findings.push(...found.map((finding) => ({ ...finding, check: view.name })))
    }
    findings.sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity))
    return {
      healthy: findings.every(({ severity }) => severity !== 'problem'),
      findings,
      checks: views,
    }
  }

  async #make(
    { name, title, needs, look }: Check,
    facts: Facts,
    away: Map<Server, string>
  ): Promise<{ view: CheckView; found: Finding[] }> {
    const skipped = (reason: string) => ({
      view: { name, title, outcome: 'skipped' as const, reason },
      found: [],
    })
    const missing = needs.find((server) => away.has(server))
    if (missing !== undefined) return skipped(away.get(missing)!)
    try {
      const found = await within(this.#patience, look(facts))
      if (found === LATE) return skipped(`no answer within ${this.#patience / 1_000} s`)
      const outcome = found.length > 0 ? ('found' as const) : ('passed' as const)
      return { view: { name, title, outcome, reason: null }, found }
    } catch (error) {
      /** One that went away meanwhile, or refuses this one question. */
      return skipped(awayReason(error) ?? (error as Error).message)
    }
  }

  async #redis() {
    const name = 'redis'
    const title = 'Redis answers'
    try {
      await this.#dependencies.transport.connections.produce('nothing is known of jobs', (client) =>
        client.ping()
      )
      return { server: 'redis' as const, name, title, found: [], reason: null }
    } catch (error) {
      const { message } = error as Error
      const finding: Finding = {
        severity: 'problem',
        title: 'Redis does not answer',
        detail: message,
        remedy:
          'start it, or mend the connection that config/queuedeck.ts ("redis") names in config/redis.ts: host, port, password, TLS',
        measured: { error: message },
      }
      return { server: 'redis' as const, name, title, found: [finding], reason: 'Redis is away' }
    }
  }

  async #database() {
    const { records, config } = this.#dependencies
    const old = (version: number) => tooOld(version, config.database)
    const base = { server: 'database' as const, name: 'database', title: 'The database is ready' }
    try {
      const version = await within(this.#patience, records.version())
      if (version === LATE) throw new Error(`no answer within ${this.#patience / 1_000} s`)
      if (version === SCHEMA_VERSION) return { ...base, found: [], reason: null }
      const measured = { version, needed: SCHEMA_VERSION }
      if (version < SCHEMA_VERSION) return { ...base, ...old(version) }
      const newer: Finding = {
        severity: 'warning',
        title: 'The tables are of a newer release than this one',
        detail: `they have version ${version}, this release knows ${SCHEMA_VERSION}`,
        remedy: 'update adonis-queuedeck here to the release that migrated them',
        measured,
      }
      return { ...base, found: [newer], reason: null }
    } catch (error) {
      const { message, code } = error as Error & { code?: string }
      if (code === 'E_MIGRATIONS_MISSING') {
        return { ...base, ...old(0) }
      }
      const finding: Finding = {
        severity: 'problem',
        title: 'The database does not answer: no history can be read or written',
        detail: message,
        remedy:
          'start it, or mend the connection that config/queuedeck.ts ("database") names in config/database.ts. Jobs run all the same, and Redis keeps their history until then',
        measured: { error: message, code: code ?? null },
      }
      return { ...base, found: [finding], reason: 'the database is away' }
    }
  }

  /** Types name queues, and files may be broken. */
  async #registry() {
    const base = { server: null, name: 'job-names', title: 'No two job classes have one name' }
    try {
      await this.#dependencies.registry.load()
      return { ...base, found: [], reason: null }
    } catch (error) {
      const { message } = error as Error
      const finding: Finding = {
        severity: 'problem',
        title: 'Job classes cannot be told apart: no worker can start',
        detail: message,
        remedy: 'give one of the classes another name in its static options',
        measured: { error: message },
      }
      return { ...base, found: [finding], reason: null }
    }
  }
}

/** @param database  the connection that the configuration names, which migrations leave alone unless theirs does too */
function tooOld(version: number, database: string | undefined) {
  const finding: Finding = {
    severity: 'problem',
    title:
      version === 0 ? 'The tables of Queuedeck are missing' : 'The tables are of an older release',
    detail: `they have version ${version}, this release needs ${SCHEMA_VERSION}`,
    remedy:
      database === undefined
        ? 'node ace migration:run'
        : `let the migration call createQueuedeckTables(db.connection('${database}')) with the "db" of @adonisjs/lucid/services/db, where it is not the default connection, then: node ace migration:run`,
    measured: { version, needed: SCHEMA_VERSION },
  }
  return { found: [finding], reason: 'the tables are not ready' }
}
