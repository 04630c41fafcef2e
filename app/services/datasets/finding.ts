/**
 * Something that a check found. `path` says where: a file, a field, a label, or an example of a file.
 */
export type Finding = { severity: 'error' | 'warning' | 'note'; path: string; message: string }

/** `unusable` with an error, `usable` with a warning, else `good`. */
export type Verdict = 'good' | 'usable' | 'unusable'

export function verdictOf(findings: Finding[]): Verdict {
  if (findings.some(({ severity }) => severity === 'error')) return 'unusable'
  return findings.some(({ severity }) => severity === 'warning') ? 'usable' : 'good'
}
