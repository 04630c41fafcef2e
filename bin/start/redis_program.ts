import { execFile } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { say, StartError } from './messages.ts'
import type { Variables } from './settings.ts'

const run = promisify(execFile)

/** Redis 6.2 is the oldest that has every command which BullMQ uses. */
const OLDEST = [6, 2]

const REMEDY =
  'install redis-server or valkey-server (6.2 or newer), or set REDIS_HOST to a Redis that is there'

/** Longest that apt may take for one step, in milliseconds: it fetches some megabytes, and lists of packages. */
const LONGEST_STEP = 300_000

/**
 * A Redis server that can be run, and what it needs in its environment.
 */
export type RedisProgram = { path: string; variables: Variables }

/**
 * Finds a Redis or Valkey on this machine; on Debian and Ubuntu else takes the distribution's own packages apart in our folder,
 * which needs no root and starts no service.
 *
 * @throws StartError when there is none and none can be had
 */
export async function redisProgram(folder: string, variables: Variables): Promise<RedisProgram> {
  const unpacked = join(folder, 'redis-program')
  for (const candidate of [...installed(variables), ...fromFolder(unpacked)]) {
    if (await isNewEnough(candidate)) return candidate
  }

  const apt = onPath('apt-get', variables)
  if (!apt || !onPath('dpkg', variables)) throw new StartError(`No Redis was found: ${REMEDY}.`)
  say('Unpacking a Redis server of the distribution (nothing is installed) ...')
  try {
    await unpack(apt, folder, unpacked)
  } catch (error) {
    const reason = String((error as { stderr?: string }).stderr || (error as Error).message)
    throw new StartError(
      `No Redis was found, and apt could not bring one (${lastLine(reason)}): ${REMEDY}.`
    )
  }
  for (const candidate of fromFolder(unpacked)) {
    if (await isNewEnough(candidate)) return candidate
  }
  throw new StartError(`The Redis server that apt brought does not run here: ${REMEDY}.`)
}

function installed(variables: Variables): RedisProgram[] {
  return ['redis-server', 'valkey-server'].flatMap((name) => {
    const path = onPath(name, variables)
    return path ? [{ path, variables: {} }] : []
  })
}

function onPath(name: string, variables: Variables): string | undefined {
  return (variables.PATH ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/**
 * The unpacked program with its libraries, whose folder is named after the machine (`usr/lib/x86_64-linux-gnu`).
 */
function fromFolder(folder: string): RedisProgram[] {
  const libraries = join(folder, 'usr/lib')
  if (!existsSync(libraries)) return []
  const path = ['redis-server', 'valkey-server']
    .map((name) => join(folder, 'usr/bin', name))
    .filter((candidate) => existsSync(candidate))
    .at(-1)
  const search = readdirSync(libraries)
    .filter((name) => name.includes('-linux-'))
    .map((name) => join(libraries, name))
    .join(':')
  return path ? [{ path, variables: { LD_LIBRARY_PATH: search } }] : []
}

async function isNewEnough({ path, variables }: RedisProgram): Promise<boolean> {
  try {
    const { stdout } = await run(path, ['--version'], {
      env: { ...process.env, ...variables },
      timeout: LONGEST_STEP,
    })
    const [, major, minor] = (/v=(\d+)\.(\d+)/.exec(stdout) ?? []).map(Number)
    return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
  } catch {
    // A program that does not even tell its version does not run here.
    return false
  }
}

/**
 * Package lists and archives are kept in our folder; the machine's own are neither read nor changed. Which libraries are missing
 * here is asked of apt itself.
 */
async function unpack(apt: string, folder: string, target: string): Promise<void> {
  /** Two of these at once (tests beside a start) do not touch each other's files. */
  const work = join(folder, `apt.${process.pid}`)
  const made = `${target}.${process.pid}`
  try {
    await fill(made, apt, work)
    rmSync(target, { recursive: true, force: true })
    renameSync(made, target)
  } finally {
    for (const left of [work, made]) rmSync(left, { recursive: true, force: true })
  }
}

async function fill(made: string, apt: string, work: string): Promise<void> {
  const steps = { cwd: join(work, 'archives'), timeout: LONGEST_STEP, maxBuffer: 16 * 1024 * 1024 }
  mkdirSync(join(work, 'lists/partial'), { recursive: true })
  mkdirSync(join(work, 'archives/partial'), { recursive: true })
  const options = [
    `Dir::State::Lists=${join(work, 'lists')}`,
    `Dir::Cache::Archives=${join(work, 'archives')}`,
    'Dir::Cache::pkgcache=',
    'Dir::Cache::srcpkgcache=',
    'Debug::NoLocking=1',
    'APT::Sandbox::User=',
    'Acquire::Retries=2',
  ].flatMap((option) => ['-o', option])

  await run(apt, [...options, '-q', 'update'], steps)
  const simulation = ['-s', '--no-install-recommends', 'install', 'redis-server']
  const { stdout } = await run(apt, [...options, ...simulation], steps)
  const missing = [...stdout.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name)
  const packages = new Set(['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1', ...missing])
  await run(apt, [...options, '-q', 'download', ...packages], steps)
  for (const archive of readdirSync(steps.cwd).filter((name) => name.endsWith('.deb'))) {
    await run('dpkg', ['-x', join(steps.cwd, archive), made], steps)
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)!.slice(0, 200)
}
