import type { Check } from '../check.ts'

/** Files in the folder of jobs that give no job type. */
export const jobFiles: Check = {
  name: 'job-files',
  title: 'Each job file can be loaded',
  needs: [],
  async look(facts) {
    const { registry } = facts.dependencies
    return registry.problems().map(({ file, message }) => ({
      severity: 'warning',
      title: `The job file ${file} gives no job type`,
      detail: message,
      remedy: `mend ${facts.config.jobs}/${file}; workers go on without it, and its jobs fail with UNKNOWN_TYPE`,
      measured: { file, message },
    }))
  },
}
