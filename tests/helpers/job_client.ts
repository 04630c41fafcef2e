import type { Page } from 'playwright-core'

export type NewJob = { type: string; payload: unknown; options?: Record<string, unknown> }

/**
 * The application's JSON interface, asked from one of its pages: with the session and the token of a person.
 *
 * @param page  A page of the dashboard that may run scripts.
 */
export function jobClient(page: Page) {
  const prefix = new URL(page.url()).pathname.replace(/\/$/, '')

  const ask = (path: string, body?: unknown): Promise<any> =>
    page.evaluate(
      async ({ url, json }) => {
        const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')!.content
        const response = await fetch(url, {
          method: json === null ? 'GET' : 'POST',
          headers: {
            'accept': 'application/json',
            'content-type': 'application/json',
            'x-csrf-token': token,
          },
          body: json,
        })
        if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
        return response.json()
      },
      { url: prefix + path, json: body === undefined ? null : JSON.stringify(body) }
    )

  return {
    /** How many jobs wait for a worker or run. */
    async unfinished(): Promise<number> {
      const { statistics } = await ask('')
      return statistics.pending + statistics.running
    },
    async activeWorkers(): Promise<number> {
      const { statistics } = await ask('')
      return statistics.activeWorkers
    },
    /** Id of the newest job that a filter of the jobs page finds. */
    async newest(filter: Record<string, string>): Promise<string> {
      const { data } = await ask(`/jobs?${new URLSearchParams(filter)}`)
      return data[0].id
    },
    find(id: string): Promise<{ status: string; run: number }> {
      return ask(`/jobs/${id}`)
    },
    /** Answers the new job's id. */
    async create(job: NewJob): Promise<string> {
      const { job: created } = await ask('/jobs', job)
      return created.id
    },
    /** Answers the new schedule's id. */
    async plan(schedule: Record<string, unknown>): Promise<string> {
      const { schedule: made } = await ask('/schedules', schedule)
      return made.id
    },
    async cancel(id: string): Promise<void> {
      await ask(`/jobs/${id}/cancel`, {})
    },
  }
}
