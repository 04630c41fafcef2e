import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import { Job } from '../../../src/jobs/job.ts'
import { JobRegistry } from '../../../src/jobs/registry.ts'

const folder = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/jobs/${name}`, import.meta.url))

test.group('Job registry', () => {
  test('finds job classes below the folder, names what cannot be used and goes on', async ({
    assert,
  }) => {
    const told: string[] = []
    const registry = new JobRegistry(folder('broken'), ({ file }) => told.push(file))
    await registry.load()
    assert.deepEqual(registry.names(), ['fine_job', 'mail.send'])
    assert.equal(registry.get('mail.send')?.file, 'nested/named.ts')
    const problems = registry.problems()
    assert.deepEqual(
      problems.map(({ file }) => file),
      told
    )
    const expected = {
      'bad_option.ts': /BadOption: Option "retries" is not known; known options: .*attempts/,
      'instance.ts': /its default export is an object of a job class: export the class itself/,
      'no_job.ts': /does not extend Job/,
      'not_default.ts': /its job class NotDefault is not the default export/,
      'syntax_error.js': /cannot be loaded/,
      'throws.ts': /throws\.ts cannot be loaded: no settings/,
      'unnamed.ts': /"name" is needed where a class has no name/,
      'unreadable.ts': /cannot be loaded: it threw what cannot be read/,
    }
    assert.deepEqual(told, Object.keys(expected))
    Object.values(expected).forEach((text, at) => assert.match(problems[at].message, text))
  })

  test('refuses two classes with one name, naming both files', async ({ assert }) => {
    const registry = new JobRegistry(folder('doubled'))
    await assert.rejects(
      () => registry.load(),
      /Two job classes have the name "same_name": first\.ts and nested\/second\.ts/
    )
  })

  test('takes an edited class in the place of the one before where files are reloaded', async ({
    assert,
  }) => {
    const versions = [1, 2].map(
      (version) =>
        class Edited extends Job {
          execute = () => version
        }
    )
    const registry = new JobRegistry(undefined, () => {}, true)
    for (const Class of versions) assert.equal((await registry.find(Class)).Class, Class)
    assert.equal((await registry.find('edited')).Class, versions[1])
    class Other extends Job {
      static options = { name: 'edited' }
      execute() {}
    }
    await assert.rejects(() => registry.find(Other), /Two job classes have the name "edited"/)
    await assert.rejects(() => new JobRegistry(folder('doubled'), () => {}, true).load())
  })

  test('refuses an unknown type, naming those there are', async ({ assert }) => {
    const registry = new JobRegistry(folder('broken'))
    await assert.rejects(
      () => registry.find('mail.sned'),
      'No job type "mail.sned" is registered. Known types: fine_job, mail.send'
    )
  })

  test('a folder that is not there holds no types', async ({ assert }) => {
    const registry = new JobRegistry(folder('nowhere'))
    await registry.load()
    assert.deepEqual(registry.names(), [])
  })

  test('takes the class name in snake case, and a class twice', async ({ assert }) => {
    class SendInvoice extends Job {
      execute() {}
    }
    const registry = new JobRegistry()
    assert.strictEqual(registry.register(SendInvoice), registry.register(SendInvoice))
    assert.deepEqual(registry.names(), ['send_invoice'])
  })

  test('refuses a payload that is no validator', ({ assert }) => {
    class Wrong extends Job {
      static payload = { id: 'number' } as never
      execute() {}
    }
    assert.throws(() => new JobRegistry().register(Wrong), /must be a validator, as vine\.create/)
  })
})
