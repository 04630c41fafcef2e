import { test } from '@japa/runner'
import { ProgressBar } from '../../../src/console/progress_bar.ts'

test.group('Progress bar', () => {
  test('fills, is drawn a few times a second at most, and always at the end', ({ assert }) => {
    const lines: string[] = []
    const bar = new ProgressBar((line) => lines.push(line))
    for (let done = 1; done <= 1_000; done++) bar.update(done, 1_000, `${done} jobs`)
    assert.equal(lines[0], `${'░'.repeat(24)} 0 %  1 jobs`)
    assert.equal(lines.at(-1), `${'█'.repeat(24)} 100 %  1000 jobs`)
    assert.isBelow(lines.length, 20)
  })

  test('never goes beyond its end, nor divides by nothing', ({ assert }) => {
    const lines: string[] = []
    const bar = new ProgressBar((line) => lines.push(line))
    bar.update(7, 5, 'more came')
    bar.update(0, 0, 'nothing')
    assert.deepEqual(lines, [
      `${'█'.repeat(24)} 100 %  more came`,
      `${'█'.repeat(24)} 100 %  nothing`,
    ])
  })
})
