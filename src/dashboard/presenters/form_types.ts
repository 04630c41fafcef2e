import type { JobRow } from './types.ts'

/** A payload in a form. */
export type EditPage = {
  job: JobRow
  /** POST target. */
  url: string
  backUrl: string
  /** JSON, without secrets. */
  payload: string
  /** Lines of the field. */
  rows: number
  hasHidden: boolean
  /** Why what was typed cannot be used. */
  error: string | null
  /** Why it cannot be edited at all; then there is no form. */
  refused: string | null
}

export type ConfirmPage = {
  action: 'cancel' | 'restart' | 'run-again' | 'delete' | 'priority'
  title: string
  text: string
  job: JobRow
  /** POST target. */
  url: string
  /** Where Keep leads. */
  backUrl: string
  button: string
  destructive: boolean
  /** Not possible any more: the reason; then there is no form. */
  refused: string | null
  /** A whole number that the action needs. */
  field?: { name: string; label: string; value: string; least: number; most: number }
  /** Another page comes after it, also where scripts work. */
  leaves?: boolean
}
