import { execFile, execFileSync } from 'node:child_process'
import { mkdtemp, rm, rmdir, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What it may take; only what is written takes memory. */
const ROOM = '8g'

/**
 * A disk of its own, which can be full.
 */
export type SmallDisk = {
  folder: string
  /** Leaves not one byte more than what is on it. */
  fill(): Promise<void>
  /** Gives it room again. */
  empty(): Promise<void>
  unmount(): Promise<void>
}

/**
 * Mounts such a disk; null where this user or this container may not.
 */
export async function mountDisk(): Promise<SmallDisk | null> {
  const folder = await mkdtemp(join(tmpdir(), 'queuedeck-disk-'))
  const size = (bytes: string | number) => run('mount', ['-o', `remount,size=${bytes}`, folder])
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${ROOM}`, 'tmpfs', folder])
  } catch {
    await rmdir(folder)
    return null
  }
  const leave = () => void execFileSync('umount', ['--lazy', folder])
  process.once('exit', leave)
  return {
    folder,
    async fill() {
      /** Whoever writes meanwhile may have taken what was counted as free: the disk then refuses to be smaller than that. */
      for (let turn = 0; ; turn++) {
        const { blocks, bfree, bsize } = await statfs(folder)
        try {
          await size((blocks - bfree) * bsize)
          return
        } catch (error) {
          if (turn === 50) throw error
        }
      }
    },
    async empty() {
      await size(ROOM)
    },
    async unmount() {
      process.off('exit', leave)
      leave()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
