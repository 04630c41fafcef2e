import type { QueueManager } from './queue_manager.ts'

type Resolver = () => Promise<QueueManager>

let resolver: Resolver | undefined

/**
 * Says where the static methods of job classes find their manager. Called by the provider.
 */
export function useManager(resolve: Resolver | undefined): void {
  resolver = resolve
}

/**
 * The manager of the application that booted last in this process.
 */
export async function currentManager(): Promise<QueueManager> {
  if (resolver === undefined) {
    throw new Error(
      'Jobs can be dispatched once the application has booted; is the provider of Queuedeck in adonisrc.ts?'
    )
  }
  return resolver()
}
