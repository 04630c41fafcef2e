import type { BenchOptions, Measure } from '../types.ts'

/**
 * Some rows of `npm run bench -- documents`: `--rows=NAME,NAME` asks for those of these names only.
 */
export type DocumentRows = {
  name: string
  measure(options: BenchOptions): Promise<Measure[]>
}
