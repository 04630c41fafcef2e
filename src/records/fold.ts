/**
 * How names are compared without case, on every database alike: `queuedeck_names.fold` holds this of each name.
 */
export function fold(name: string): string {
  return name.normalize('NFKC').toLowerCase()
}
