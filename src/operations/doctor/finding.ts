/**
 * `problem`: jobs do not run, are lost or are not recorded, or soon will be. `warning`: somebody should look. `info`: worth knowing;
 * nothing has to be done.
 */
export type Severity = 'problem' | 'warning' | 'info'

/** Something that keeps jobs from running, or may. */
export type Finding = {
  severity: Severity
  /** What is the matter, one sentence. */
  title: string
  /** What was measured, in words. */
  detail: string
  /** A command or setting that mends it. */
  remedy: string
  /** What was measured, for programs: numbers of jobs and bytes, durations in milliseconds, moments epoch milliseconds. */
  measured: Record<string, unknown>
}

/**
 * A name as a word of a shell: remedies are there to be copied, and other producers name queues as they like.
 */
export function shellWord(text: string): string {
  return /^[\w.@%+=:,/][\w.@%+=:,/-]*$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
