/**
 * A list in parts of so many, the last of which may be shorter: what a server takes at once has bounds.
 */
export function* inParts<Item>(list: readonly Item[], most: number): Generator<Item[]> {
  for (let at = 0; at < list.length; at += most) yield list.slice(at, at + most)
}
