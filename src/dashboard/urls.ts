/**
 * Every address of the dashboard, derived from its prefix in this one place. Names (queues, types, users, tags) are
 * encoded whole, so that `/`, `%`, `#`, spaces and every letter survive the way through links and forms.
 */
export class DashboardUrls {
  constructor(public readonly prefix: string) {}

  dashboard(params: QueryParams = {}): string {
    return `${this.prefix === '' ? '/' : this.prefix}${query(params)}`
  }

  jobs(params: QueryParams = {}): string {
    return `${this.prefix}/jobs${query(params)}`
  }

  job(id: string, params: QueryParams = {}): string {
    return `${this.prefix}/jobs/${encodeURIComponent(id)}${query(params)}`
  }

  cancel(id: string): string {
    return `${this.job(id)}/cancel`
  }

  restart(id: string): string {
    return `${this.job(id)}/restart`
  }

  runAgain(id: string): string {
    return `${this.job(id)}/run-again`
  }

  editAndRun(id: string): string {
    return `${this.job(id)}/edit-and-run`
  }

  deleteJob(id: string): string {
    return `${this.job(id)}/delete`
  }

  priority(id: string): string {
    return `${this.job(id)}/priority`
  }

  logs(id: string, params: QueryParams = {}): string {
    return `${this.job(id)}/logs${query(params)}`
  }

  result(id: string): string {
    return `${this.job(id)}/result`
  }

  workers(): string {
    return `${this.prefix}/workers`
  }

  worker(id: string): string {
    return `${this.workers()}/${encodeURIComponent(id)}`
  }

  askWorker(id: string, wish: 'quiet' | 'resume' | 'stop'): string {
    return `${this.worker(id)}/${wish}`
  }

  queues(): string {
    return `${this.prefix}/queues`
  }

  /** A segment of dots means a folder to every browser, so such names get a `=` in front, and those that begin with one too. */
  queue(name: string): string {
    const segment = /^(?:=|\.{1,2}$)/.test(name) ? `=${name}` : name
    return `${this.queues()}/${encodeName(segment)}`
  }

  pauseQueue(name: string): string {
    return `${this.queue(name)}/pause`
  }

  resumeQueue(name: string): string {
    return `${this.queue(name)}/resume`
  }

  drainQueue(name: string): string {
    return `${this.queue(name)}/drain`
  }

  queueLimits(name: string): string {
    return `${this.queue(name)}/limits`
  }

  cleanups(params: QueryParams = {}): string {
    return `${this.prefix}/cleanups${query(params)}`
  }

  audit(params: QueryParams = {}): string {
    return `${this.prefix}/audit${query(params)}`
  }

  schedules(params: QueryParams = {}): string {
    return `${this.prefix}/schedules${query(params)}`
  }

  schedule(id: string): string {
    return `${this.schedules()}/${encodeURIComponent(id)}`
  }

  /** Without an action: `new` and `preview` stand in the place of a schedule. */
  scheduleAction(id: string, action?: 'edit' | 'pause' | 'resume' | 'run' | 'delete'): string {
    return action === undefined ? this.schedule(id) : `${this.schedule(id)}/${action}`
  }

  bulk(): string {
    return `${this.prefix}/bulk`
  }

  confirmBulk(): string {
    return `${this.bulk()}/confirm`
  }

  bulkOperation(id: string, params: QueryParams = {}): string {
    return `${this.bulk()}/${encodeURIComponent(id)}${query(params)}`
  }

  stopBulk(id: string): string {
    return `${this.bulkOperation(id)}/stop`
  }

  stream(params: QueryParams): string {
    return `${this.prefix}/stream${query(params)}`
  }

  monitor(id: string, params: QueryParams = {}): string {
    return `${this.prefix}/monitors/${encodeURIComponent(id)}${query(params)}`
  }

  monitorStream(id: string, params: QueryParams = {}): string {
    return `${this.prefix}/monitors/${encodeURIComponent(id)}/stream${query(params)}`
  }

  alerts(params: QueryParams = {}): string {
    return `${this.prefix}/alerts${query(params)}`
  }

  acknowledgeAlert(id: number): string {
    return `${this.alerts()}/${id}/acknowledge`
  }

  alertMutes(): string {
    return `${this.alerts()}/mutes`
  }

  unmuteAlerts(): string {
    return `${this.alerts()}/unmute`
  }

  preferences(): string {
    return `${this.prefix}/preferences`
  }

  asset(name: string): string {
    return `${this.prefix}/assets/${name}`
  }
}

/**
 * The name of a queue as it stood in an address.
 */
export function queueNameOf(segment: string): string {
  return segment.startsWith('=') ? segment.slice(1) : segment
}

export type QueryParams = Record<string, string | number | readonly string[] | null | undefined>

/**
 * A query string with `%20` for spaces: `+` means a plus to some readers.
 */
export function query(params: QueryParams): string {
  const parts: string[] = []
  for (const [name, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one === null || one === undefined || one === '') continue
      parts.push(`${encodeURIComponent(name)}=${encodeName(String(one))}`)
    }
  }
  return parts.length > 0 ? `?${parts.join('&')}` : ''
}

/**
 * `encodeURIComponent` that survives half a surrogate pair, which a producer can write and no address can hold.
 */
function encodeName(value: string): string {
  return encodeURIComponent(value.toWellFormed())
}
