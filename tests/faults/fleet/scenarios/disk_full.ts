import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { waitFor } from '#tests/helpers/wait'
import { readMirrorStatus } from '../../../../src/mirror/mirror_status.ts'
import type { Scenario } from './scenario.ts'

const run = promisify(execFile)

export const diskFull: Scenario = {
  name: "the mirror's disk takes nothing more",
  async run({ fleet, size }) {
    const { pid } = fleet.mirror.child
    /** No file may grow or be written beyond its first byte; nobody needs to be root for that. */
    const limit = (bytes: string) => run('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`])
    await limit('1')
    try {
      await fleet.dispatch(size.jobs, 30)
      await waitFor('all to end without it', async () => (await fleet.open()) === 0, {
        within: 60_000 + size.jobs * 50,
      })
      await waitFor('the mirror to say so', async () => {
        const status = await readMirrorStatus(fleet.lab.transport, fleet.lab.redis)
        return status?.sql.since
      })
    } finally {
      await limit('unlimited')
    }
  },
}
