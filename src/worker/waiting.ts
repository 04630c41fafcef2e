/**
 * Whether the first promise came before the others.
 */
export function first(promise: Promise<unknown>, ...others: Promise<unknown>[]): Promise<boolean> {
  return Promise.race([promise.then(() => true), ...others.map((other) => other.then(() => false))])
}

/**
 * A pause that is never the reason why a process stays.
 */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref()
  })
}

/**
 * A promise with its resolver.
 */
export function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve }
}
