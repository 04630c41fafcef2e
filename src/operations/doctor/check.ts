import type { Facts } from './facts.ts'
import type { Finding } from './finding.ts'

/** The two servers that a check may ask. */
export type Server = 'redis' | 'database'

/**
 * One thing that the doctor looks at.
 */
export type Check = {
  name: string
  /** What is looked at, in words. */
  title: string
  /** What has to answer for this check to be made. */
  needs: Server[]
  look(facts: Facts): Promise<Finding[]>
}
