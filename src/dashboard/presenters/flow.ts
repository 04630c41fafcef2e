import type { FamilyMember, JobFamily } from '../../operations/job_family.ts'
import type { DashboardUrls } from '../urls.ts'
import { count } from './format.ts'
import type { Mark } from './types.ts'

/** The flow around a job, ready to print. */
export type FlowView = {
  /** `parent, 3 children` */
  summary: string
  members: {
    mark: Mark
    /** Null while there is no record to lead to. */
    url: string | null
    label: string
    detail: string
    /** Its status. */
    word: string
  }[]
  /** Says how many children are not named; '' where all are. */
  more: string
}

export function flowView(family: JobFamily, urls: DashboardUrls): FlowView {
  const { parent, children } = family
  const jobs = children?.jobs ?? []
  const total = children?.total ?? 0
  const of = (role: string) => (member: FamilyMember) => ({
    mark: member.status ?? ('pending' as const),
    url: member.status === null ? null : urls.job(member.id),
    label: member.type ?? member.id,
    detail: `${role}, queue ${member.queue}`,
    word: member.status ?? 'no record yet',
  })
  const parts = [
    ...(parent ? ['a parent'] : []),
    ...(children ? [`${count(total)} ${total === 1 ? 'child' : 'children'}`] : []),
  ]
  return {
    summary: parts.join(', '),
    members: [...(parent ? [of('Parent')(parent)] : []), ...jobs.map(of('Child'))],
    more: total > jobs.length ? `and ${count(total - jobs.length)} more children` : '',
  }
}
