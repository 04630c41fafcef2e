import { assert } from '@japa/assert'
import { spec } from '@japa/runner/reporters'
import type { Config } from '@japa/runner/types'
import { countReporter } from './helpers/count_reporter.ts'

/**
 * The suites, their time limits for one test (milliseconds), and how results are reported.
 */
export const config: Config = {
  suites: [
    { name: 'unit', files: ['tests/unit/**/*.spec.ts'], timeout: 90_000 },
    { name: 'functional', files: ['tests/functional/**/*.spec.ts'], timeout: 180_000 },
    {
      name: 'faults',
      files: [
        'tests/faults/{alerts,cleanup,fleet,flows,limits,machines,mirror,schedules,transport,worker}/**/*.spec.ts',
      ],
      timeout: 300_000,
    },
    { name: 'start', files: ['tests/faults/start/**/*.spec.ts'], timeout: 300_000 },
    { name: 'browser', files: ['tests/browser/**/*.spec.ts'], timeout: 180_000 },
    { name: 'install', files: ['tests/install/**/*.spec.ts'], timeout: 300_000 },
    { name: 'docs', files: ['tests/docs/**/*.spec.ts'], timeout: 300_000 },
  ],
  plugins: [assert()],
  reporters: { activated: ['spec', 'count'], list: [spec(), countReporter] },
  forceExit: true,
}
