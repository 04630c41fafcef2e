/**
 * Something that a person has to mend before Queuedeck can start: its message is one sentence that says what and how.
 */
export class StartError extends Error {}

const begun = performance.now()

/**
 * Prints one step with the seconds since the start.
 */
export function say(text: string): void {
  const seconds = (performance.now() - begun) / 1000
  console.log(`${seconds.toFixed(1).padStart(5)} s  ${text}`)
}
