import { readFileSync } from 'node:fs'
import { test } from '@japa/runner'

const page = readFileSync(new URL('../../../docs/documents.md', import.meta.url), 'utf8')
const ROOT = new URL('../../../app/jobs/', import.meta.url)

test.group('docs/documents.md', () => {
  test('shows payloads that the jobs accept', async ({ assert }) => {
    const blocks = [...page.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, text]) =>
      JSON.parse(text)
    )
    const jobs = blocks.filter((block) => 'type' in block)
    assert.isAbove(jobs.length, 0)
    for (const { type, payload } of jobs) {
      const { default: job } = await import(new URL(`${type.replace('.', '/')}.ts`, ROOT).href)
      assert.equal(job.options.name, type)
      const accepted = await job.payload.validate(payload)
      assert.deepEqual(accepted, payload, `${type} ignores a part of its payload`)
    }
  })
})
