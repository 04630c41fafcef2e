import { globSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { config } from '../../tests/bootstrap.ts'
import { ROOT } from '../start/settings.ts'

/**
 * Spec files that one process of the test runner takes.
 */
export type Batch = { suite: string; files: string[] }

/** One process for the whole suite, one for each file, or one for some files of a folder. */
type Cut = 'suite' | 'file' | { folder: number }

type Suite = {
  name: string
  cut: Cut
  /**
   * Gets the processors first, two at a time beside the others, and in this order. What faults hold up, cut off and kill is measured
   * against leases of seconds, which a process that waits for its turn would miss too; most of the time these tests only wait. Browsers
   * show what a person would see, who has a processor of their own.
   */
  first?: true
}

/** Longest first, so that none is left over at the end while a processor has nothing to do. */
const SUITES: Suite[] = [
  { name: 'install', cut: 'suite' },
  { name: 'start', cut: 'file' },
  { name: 'docs', cut: 'suite' },
  { name: 'unit', cut: 'suite' },
  { name: 'functional', cut: { folder: 5 } },
  { name: 'faults', cut: { folder: 2 }, first: true },
  { name: 'browser', cut: 'file', first: true },
]

export const SUITE_NAMES = SUITES.map(({ name }) => name)

/**
 * The chosen suites, cut into batches: those that get the processors first, and those that take what is left of them.
 *
 * @param whole  Leaves suites in one piece: where the test runner is given filters of its own.
 */
export function batchesOf(
  chosen: ReadonlySet<string>,
  whole: boolean
): { first: Batch[]; others: Batch[] } {
  const wanted = SUITES.filter(({ name }) => chosen.has(name))
  const cut = (suites: Suite[]) =>
    suites.flatMap((suite) =>
      whole ? [all(suite)] : pieces(suite).sort((a, b) => weight(b) - weight(a))
    )
  return {
    first: cut(wanted.filter(({ first }) => first)),
    others: cut(wanted.filter(({ first }) => !first)),
  }
}

/** How long a batch takes, roughly: what its files have to say. */
function weight({ files }: Batch): number {
  return files.reduce((sum, file) => sum + statSync(join(ROOT, file)).size, 0)
}

const all = ({ name }: Suite): Batch => ({ suite: name, files: [] })

function pieces(suite: Suite): Batch[] {
  const { name, cut } = suite
  if (cut === 'suite') return [all(suite)]
  const files = filesOf(name)
  if (cut === 'file') return files.map((file) => ({ suite: name, files: [file] }))

  const batches: Batch[] = []
  for (const folder of new Set(files.map(dirname))) {
    const inside = files.filter((file) => dirname(file) === folder)
    const parts = Math.ceil(inside.length / cut.folder)
    for (let part = 0; part < parts; part++) {
      batches.push({ suite: name, files: inside.filter((_file, at) => at % parts === part) })
    }
  }
  return batches
}

/** Paths below the root, as the test runner itself finds them. */
function filesOf(name: string): string[] {
  const suite = (config as { suites: { name: string; files: string[] }[] }).suites.find(
    (one) => one.name === name
  )!
  return globSync(suite.files, { cwd: ROOT }).sort()
}
