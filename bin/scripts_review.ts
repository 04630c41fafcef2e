/*
 * `npm run scripts:review`: for whoever raises the version of bullmq. Says which of its scripts differ from those that were reviewed,
 * which of our replacements no longer fit, and with `--pin` prints the checksums for src/transport/scripts/pins.ts. With
 * `--text=NAME` it prints a script as installed and as we send it. Exit code 1 when anything differs.
 */
import 'reflect-metadata'
import { parseArgs } from 'node:util'
import {
  checksum,
  installedTexts,
  installedVersion,
} from '../src/transport/scripts/bullmq_texts.ts'
import { PINNED_CHECKSUMS, PINNED_VERSION } from '../src/transport/scripts/pins.ts'
import { edit, editSets } from '../src/transport/scripts/workshop.ts'

const { values } = parseArgs({
  options: { pin: { type: 'boolean' }, text: { type: 'string' } },
})

const texts = installedTexts()
const problems: string[] = []

if (values.text !== undefined) {
  const script = texts.get(values.text)
  if (script === undefined) {
    console.error(`bullmq has no script "${values.text}": ${[...texts.keys()].sort().join(', ')}`)
    process.exit(2)
  }
  console.log(`-- as installed\n${script.text}\n\n-- as we send it\n${edit(script, editSets())}`)
  process.exit(0)
}

console.log(`bullmq ${installedVersion()} is installed, ${PINNED_VERSION} was reviewed`)
for (const [name, pinned] of Object.entries(PINNED_CHECKSUMS)) {
  const script = texts.get(name)
  if (script === undefined) {
    problems.push(`${name} is missing`)
    continue
  }
  if (checksum(script) !== pinned) problems.push(`${name} has another text than the reviewed one`)
  try {
    edit(script, editSets())
  } catch (error) {
    problems.push((error as Error).message)
  }
}

if (values.pin) {
  for (const name of Object.keys(PINNED_CHECKSUMS)) {
    const script = texts.get(name)
    if (script !== undefined) console.log(`  ${name}: '${checksum(script)}',`)
  }
}

problems.forEach((problem) => console.error(problem))
console.log(problems.length === 0 ? 'nothing differs' : `${problems.length} differences`)
process.exit(problems.length === 0 ? 0 : 1)
