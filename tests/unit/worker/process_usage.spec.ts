import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from '@japa/runner'
import { processUsage } from '../../../src/worker/process_usage.ts'
import { SystemUsage } from '../../../src/worker/system_usage.ts'

test.group('Usage of another process', () => {
  test('is what the system tells of it, whatever its name is, until it ends', async ({
    assert,
    cleanup,
  }) => {
    const code = `process.title = 'a) S 1 (b'; const kept = Buffer.alloc(100e6, 1);
      const end = performance.now() + 300; while (performance.now() < end);
      console.log(kept.length); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
    cleanup(() => void child.kill('SIGKILL'))
    const usage = new SystemUsage(() => [child.pid!, 4_194_999])
    cleanup(() => usage.stop())
    usage.take()
    await once(child.stdout, 'data')
    const resident = Number(execFileSync('ps', ['-o', 'rss=', '-p', String(child.pid)])) * 1_024
    const { memory, cpu } = processUsage(child.pid!)!
    assert.closeTo(memory, resident, 20e6)
    assert.isAbove(cpu, 50)

    const together = usage.take()
    assert.closeTo(together.memory.used, process.memoryUsage.rss() + memory, 30e6)
    assert.isAbove(together.cpu, 0)
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.isUndefined(processUsage(child.pid!))
    assert.closeTo(usage.memory(), process.memoryUsage.rss(), 30e6)
  }).skip(process.platform !== 'linux', 'only Linux tells')
})
