/** How one space lies in another (ISO 32000-1, 8.3.3). */
export type Matrix = [number, number, number, number, number, number]

/** A matrix as the reader hands it over: its numbers, or a list that holds them. */
export function matrixOf(args: ArrayLike<number> | [ArrayLike<number>]): Matrix {
  return Array.from(typeof args[0] === 'number' ? (args as ArrayLike<number>) : args[0]) as Matrix
}

/** What lies in the second and then in the first space. */
export function times(first: Matrix, second: Matrix): Matrix {
  const [a, b, c, d, e, f] = first
  const [g, h, i, j, k, l] = second
  return [
    a * g + c * h,
    b * g + d * h,
    a * i + c * j,
    b * i + d * j,
    a * k + c * l + e,
    b * k + d * l + f,
  ]
}
