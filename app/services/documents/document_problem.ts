/** Why a document cannot be read, or only in part. */
export type ProblemCode =
  | 'PDF_PASSWORD'
  | 'PDF_DAMAGED'
  | 'PDF_NO_TEXT'
  | 'NO_TEXT'
  | 'PDF_UNKNOWN_LETTERS'
  | 'NOT_A_PDF'
  | 'TEXT_ENCODING'
  | 'NOT_FOUND'
  | 'UNKNOWN_FORMAT'
  | 'TOO_LARGE'
  | 'NO_TOPICS'
  | 'DATASET_DAMAGED'
  | 'NO_EXAMPLES'
  | 'NOTHING_AWAITED'

/**
 * A document that cannot be read. Its code is what a job's warnings and errors carry.
 */
export class DocumentProblem extends Error {
  override name = 'DocumentProblem'

  constructor(
    readonly code: ProblemCode,
    message: string,
    options?: ErrorOptions
  ) {
    super(message, options)
  }
}
