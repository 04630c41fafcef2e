/*
 * Entry point of the Ace commands. TypeScript sources run directly, without a build step.
 */
import './bin/typescript.js'

await import('./bin/console.ts')
