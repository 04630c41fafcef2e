/**
 * The first name of an object that nobody reads; undefined where all are known. What was meant by it would be passed over in silence.
 */
export function strangerIn(given: object, known: readonly string[]): string | undefined {
  return Object.keys(given).find((name) => !known.includes(name))
}
