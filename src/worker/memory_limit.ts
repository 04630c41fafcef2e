import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { dirname, join } from 'node:path'

/** Where a version of control groups keeps its limits. */
type Hierarchy = { mount: string; file: string; group: string }

/**
 * The memory that this process may use, in bytes: the lowest limit among its control group (version 1 or 2) and those around it, else
 * what the machine has.
 *
 * @param root  where `/proc` and `/sys` are
 * @param machine  memory of the machine, bytes
 */
export function memoryLimit(root = '/', machine = totalmem()): number {
  const limits = hierarchies(root).flatMap((hierarchy) => limitsOf(hierarchy))
  /** Version 1 writes "no limit" as a number beyond all memory. */
  return Math.min(machine, ...limits)
}

/**
 * A machine may have both versions at once, with memory in either.
 */
function hierarchies(root: string): Hierarchy[] {
  const mount = join(root, 'sys/fs/cgroup')
  return read(join(root, 'proc/self/cgroup'))
    .split('\n')
    .flatMap((line) => {
      const [, controllers, group] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
      if (controllers === '') return [{ mount, file: 'memory.max', group }]
      if (controllers?.split(',').includes('memory')) {
        return [{ mount: join(mount, 'memory'), file: 'memory.limit_in_bytes', group }]
      }
      return []
    })
}

/**
 * Limits from the group up to the mount. A container that has no namespace of its own reads its group by the host's name, while only its
 * own part is mounted: names that are not there are skipped, and the mount itself then is the container's group.
 */
function limitsOf({ mount, file, group }: Hierarchy): number[] {
  const limits: number[] = []
  for (let path = group; ; path = dirname(path)) {
    const text = read(join(mount, path, file)).trim()
    if (/^\d+$/.test(text) && Number(text) > 0) limits.push(Number(text))
    if (path === '/') return limits
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    /** Not Linux, or another version. */
    return ''
  }
}
