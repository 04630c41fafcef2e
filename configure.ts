import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type Configure from '@adonisjs/core/commands/configure'
import { stubsRoot } from './stubs/main.ts'

const PACKAGE = 'adonis-queuedeck'

/** Other packages that bring a command `queue:work`. The entry that comes later in adonisrc.ts would win without a word. */
const RIVALS = ['@adonisjs/queue', '@rlanz/bull-queue', 'adonisjs-jobs', '@acidiney/bull-queue']

/**
 * `node ace configure adonis-queuedeck`: writes config/queuedeck.ts, a migration, the routes and a file for schedules, and registers provider and
 * commands. Running it again changes nothing that is there.
 */
export async function configure(command: Configure): Promise<void> {
  const codemods = await command.createCodemods()

  await codemods.makeUsingStub(stubsRoot, 'config/queuedeck.stub', {})
  await addMigration(command, codemods)
  await codemods.makeUsingStub(stubsRoot, 'start/queuedeck.stub', {})
  await codemods.makeUsingStub(stubsRoot, 'start/schedules.stub', {})
  await codemods.updateRcFile((rcFile) => {
    rcFile
      .addCommand(`${PACKAGE}/commands`)
      .addProvider(`${PACKAGE}/queuedeck_provider`)
      .addPreloadFile('#start/queuedeck')
      .addPreloadFile('#start/schedules')
  })

  await warnAboutRivals(command)
  for (const needed of ['@adonisjs/redis', '@adonisjs/lucid']) {
    if (!(await dependencies(command)).has(needed)) {
      command.logger.warning(`${PACKAGE} needs ${needed}: run "node ace add ${needed}"`)
    }
  }
  command.logger.info(
    'Next: "node ace migration:run", then "node ace queue:work" beside your server'
  )
  command.logger.info(
    'Say who may see the pages in config/queuedeck.ts: outside development they are closed until then'
  )
}

/**
 * A second migration would fail on tables that exist, so one that calls our schema is looked for by its text, under any name.
 */
async function addMigration(
  command: Configure,
  codemods: Awaited<ReturnType<Configure['createCodemods']>>
): Promise<void> {
  const folder = await migrationFolder(command)
  const names = await readdir(folder).catch(() => [] as string[])
  for (const name of names) {
    const path = join(folder, name)
    const text = await readFile(path, 'utf8').catch(() => '')
    if (text.includes('createQueuedeckTables')) {
      command.logger.action(`create ${command.app.relativePath(path)}`).skipped('it exists')
      return
    }
  }
  await codemods.makeUsingStub(stubsRoot, 'migration/queuedeck.stub', {
    migrationFile: join(folder, `${Date.now()}_create_queuedeck_tables.ts`),
  })
}

/**
 * Where `migration:run` looks. The configuration is not loaded while a package is configured, so its text has to say it: where every
 * connection names the same folder, it is that one.
 */
async function migrationFolder({ app }: Configure): Promise<string> {
  const text = await readFile(app.configPath('database.ts'), 'utf8').catch(() => '')
  const named = Array.from(
    text.matchAll(/\bmigrations\s*:\s*\{[^{}]*\bpaths\s*:\s*\[\s*(['"`])([^'"`$]+)\1\s*,?\s*\]/g),
    ([, , path]) => path
  )
  const connections = text.match(/\bclient\s*:/g)?.length ?? 0
  const isSame = named.length === connections && new Set(named).size === 1
  return isSame ? app.makePath(named[0]) : app.migrationsPath()
}

async function warnAboutRivals(command: Configure): Promise<void> {
  const installed = await dependencies(command)
  for (const rival of RIVALS.filter((name) => installed.has(name))) {
    command.logger.warning(
      `${rival} has a command "queue:work" too, and the entry that comes later in adonisrc.ts wins: remove one of the two`
    )
  }
}

async function dependencies(command: Configure): Promise<Set<string>> {
  const text = await readFile(command.app.makePath('package.json'), 'utf8').catch(() => '{}')
  const { dependencies: needed = {}, devDependencies = {} } = JSON.parse(text)
  return new Set([...Object.keys(needed), ...Object.keys(devDependencies)])
}
