/*
 * Entry point of the Ace commands. TypeScript sources run directly, without a build step.
 */
import '@poppinss/ts-exec'

await import('./bin/console.ts')
