import { test } from '@japa/runner'
import { CommandLab } from './lab.ts'

test.group('make:job', (group) => {
  let lab: CommandLab

  group.setup(async () => {
    lab = await CommandLab.open()
    return () => lab.close()
  })

  test('writes no file that no worker could load: {0}')
    .with([
      ['1abc'],
      ['Job'],
      ['日本'],
      ['send.invoice'],
      ['mail/send.job.ts'],
      ['odd', '--queue=a:b'],
      ['mail/payload'],
      ['job_options'],
    ])
    .run(async ({ assert }, args) => {
      const { code } = await lab.run('make:job', ...args)
      assert.equal(code, 1)
    })
})
