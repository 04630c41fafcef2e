import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { waitFor } from '#tests/helpers/wait'
import { readMirrorStatus } from '../../../../src/mirror/mirror_status.ts'
import type { Scenario, Stage } from './scenario.ts'

const run = promisify(execFile)

export const diskFull: Scenario = {
  name: "the mirror's disk takes nothing more",
  async run(stage) {
    const { fleet, size } = stage
    const disk = stage.disk ?? limitOf(stage)
    await disk.fill()
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
      await disk.empty()
    }
  },
}

/** Where no disk can be mounted: no file of the mirror may grow or be written beyond its first byte. Nobody needs to be root for that. */
function limitOf({ fleet }: Stage) {
  const { pid } = fleet.mirror.child
  const limit = (bytes: string) => run('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`])
  return { fill: () => limit('1'), empty: () => limit('unlimited') }
}
