import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from '@japa/runner'
import { memoryLimit } from '../../../src/worker/memory_limit.ts'

const MACHINE = 8_000_000_000
/** What version 1 writes for "no limit". */
const NONE = '9223372036854771712\n'

test.group('Memory limit', (group) => {
  let root: string
  group.each.setup(async () => {
    root = await mkdtemp(join(tmpdir(), 'queuedeck-cgroup-'))
    return () => rm(root, { recursive: true, force: true })
  })

  const limitWith = async (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true })
      await writeFile(join(root, name), text)
    }
    return memoryLimit(root, MACHINE)
  }

  test('version 2: the container is the root of its own hierarchy', async ({ assert }) => {
    const limit = await limitWith({
      'proc/self/cgroup': '0::/\n',
      'sys/fs/cgroup/memory.max': '536870912\n',
    })
    assert.equal(limit, 536_870_912)
  })

  test('version 2: the lowest limit on the way up applies', async ({ assert }) => {
    const limit = await limitWith({
      'proc/self/cgroup': '0::/kube/pod7/app\n',
      'sys/fs/cgroup/kube/pod7/app/memory.max': 'max\n',
      'sys/fs/cgroup/kube/pod7/memory.max': '300000000\n',
      'sys/fs/cgroup/kube/memory.max': '700000000\n',
    })
    assert.equal(limit, 300_000_000)
  })

  test('version 1: in its group', async ({ assert }) => {
    const limit = await limitWith({
      'proc/self/cgroup': '5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n1:name=systemd:/\n',
      'sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': '268435456\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': NONE,
    })
    assert.equal(limit, 268_435_456)
  })

  test('version 1: a group named as the host sees it, of which only the own part is mounted', async ({
    assert,
  }) => {
    const limit = await limitWith({
      'proc/self/cgroup': '4:memory:/docker/abc\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '134217728\n',
    })
    assert.equal(limit, 134_217_728)
  })

  test('both at once, memory in version 1', async ({ assert }) => {
    const limit = await limitWith({
      'proc/self/cgroup': '4:memory:/a\n0::/a\n',
      'sys/fs/cgroup/memory/a/memory.limit_in_bytes': '100000000\n',
    })
    assert.equal(limit, 100_000_000)
  })

  test('without a limit, with one beyond all memory, or without groups: the machine', async ({
    assert,
  }) => {
    assert.equal(memoryLimit(root, MACHINE), MACHINE)
    assert.equal(
      await limitWith({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.max': 'max\n' }),
      MACHINE
    )
    assert.equal(
      await limitWith({
        'proc/self/cgroup': '4:memory:/\n',
        'sys/fs/cgroup/memory/memory.limit_in_bytes': NONE,
      }),
      MACHINE
    )
  })
})
