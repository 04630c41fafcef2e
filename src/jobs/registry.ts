import { E_INVALID_OPTION, E_JOB_NAME_TAKEN, E_UNKNOWN_TYPE } from '../errors.ts'
import { shownWithKind } from '../shown.ts'
import { isJobClass, Job, type JobClass } from './job.ts'
import { findJobFiles, type JobFile } from './job_files.ts'
import { type ResolvedJobOptions, resolveJobOptions } from './options.ts'
import type { PayloadValidator } from './payload.ts'
import { typeName } from './type_name.ts'

/**
 * A registered job type.
 */
export type JobDefinition = {
  name: string
  Class: JobClass
  options: ResolvedJobOptions
  validator: PayloadValidator | undefined
  /** Path below the folder of jobs; absent for classes that were registered by code. */
  file?: string
}

/**
 * A file in the folder of jobs that gave no job type, and why.
 */
export type JobFileProblem = { file: string; message: string; error?: unknown }

/** Whether files that are edited are loaded anew while the process goes on, as `node ace serve --hmr` does. */
const HAS_HOT_RELOAD = process.execArgv.some((argument) => argument.includes('hot-hook'))

/**
 * The job types of the application: those found in its folder of jobs and those registered by code.
 */
export class JobRegistry {
  #definitions = new Map<string, JobDefinition>()
  #byClass = new Map<JobClass, JobDefinition>()
  #problems: JobFileProblem[] = []
  #loading?: Promise<void>

  /**
   * @param folder where job classes are found; without one only registered classes are known
   * @param onProblem told about every file that cannot be used; the others go on
   * @param hotReload  A class may come again, edited: the newest counts.
   */
  constructor(
    private folder?: string,
    private onProblem: (problem: JobFileProblem) => void = () => {},
    private hotReload = HAS_HOT_RELOAD
  ) {}

  /**
   * Reads the folder of jobs, once.
   *
   * @throws E_JOB_NAME_TAKEN when two classes have one name
   */
  load(): Promise<void> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  /**
   * Adds a class. Adding the same class again changes nothing.
   *
   * @throws E_INVALID_OPTION for options that cannot be, E_JOB_NAME_TAKEN when another class has its name
   */
  register(Class: JobClass, file?: string): JobDefinition {
    const known = this.#byClass.get(Class)
    if (known !== undefined) {
      known.file ??= file
      return known
    }

    const definition = define(Class, file)
    const other = this.#definitions.get(definition.name)
    if (other !== undefined) {
      if (!this.hotReload || !isEdited(other, definition)) {
        throw new E_JOB_NAME_TAKEN([definition.name, place(other), place(definition)])
      }
      definition.file ??= other.file
    }
    this.#definitions.set(definition.name, definition)
    this.#byClass.set(Class, definition)
    return definition
  }

  /**
   * The type of that name, of those known so far: call `load()` first.
   */
  get(type: string): JobDefinition | undefined {
    return this.#definitions.get(type)
  }

  /**
   * The type of that name or class, reading the folder of jobs when needed.
   *
   * @throws E_UNKNOWN_TYPE naming the types there are
   */
  async find(type: string | JobClass): Promise<JobDefinition> {
    if (typeof type !== 'string') {
      return this.#byClass.get(type) ?? this.register(type)
    }
    let definition = this.#definitions.get(type)
    if (definition === undefined) {
      await this.load()
      definition = this.#definitions.get(type)
    }
    if (definition === undefined) {
      throw new E_UNKNOWN_TYPE([type.slice(0, 200), this.names().join(', ') || 'none'])
    }
    return definition
  }

  /** Names of all types known so far, sorted. */
  names(): string[] {
    return [...this.#definitions.keys()].sort()
  }

  /** Files that could not be used. */
  problems(): JobFileProblem[] {
    return [...this.#problems]
  }

  async #load(): Promise<void> {
    if (this.folder === undefined) {
      return
    }
    for (const file of await findJobFiles(this.folder)) {
      await this.#loadFile(file)
    }
  }

  async #loadFile({ name, url }: JobFile): Promise<void> {
    let module: Record<string, unknown>
    try {
      module = (await import(url)) as Record<string, unknown>
    } catch (error) {
      this.#report({ file: name, message: `${name} cannot be loaded: ${saidBy(error)}`, error })
      return
    }
    const exported = module.default

    if (isJobClass(exported)) {
      try {
        this.register(exported, name)
      } catch (error) {
        /** Two classes of one name are no matter of one file: whichever won, jobs would run the wrong code. */
        if (error instanceof E_JOB_NAME_TAKEN) {
          throw error
        }
        this.#report({ file: name, message: `${name}: ${saidBy(error)}`, error })
      }
    } else {
      const why = whyNoType(exported, Object.values(module))
      if (why !== undefined) this.#report({ file: name, message: `${name}: ${why}` })
    }
  }

  #report(problem: JobFileProblem): void {
    this.#problems.push(problem)
    this.onProblem(problem)
  }
}

function define(Class: JobClass, file?: string): JobDefinition {
  if (!isJobClass(Class)) {
    const given = typeof Class === 'function' ? 'one that does not' : shownWithKind(Class, 60)
    throw new E_INVALID_OPTION(['job', `must be a class that extends Job, not ${given}`])
  }
  const options = Class.options ?? {}
  let resolved: ResolvedJobOptions
  try {
    resolved = resolveJobOptions(options)
  } catch (error) {
    ;(error as Error).message = `${Class.name}: ${(error as Error).message}`
    throw error
  }

  const validator = Class.payload
  if (validator !== undefined && typeof validator?.validate !== 'function') {
    throw new E_INVALID_OPTION([
      'payload',
      `of ${Class.name} must be a validator, as vine.create({ ... }) makes it`,
    ])
  }
  return {
    name: typeName(Class),
    Class,
    options: resolved,
    validator,
    file,
  }
}

/** Undefined for a file that is none on purpose: helpers, and classes that others extend, have their place beside jobs. */
function whyNoType(exported: unknown, all: unknown[]): string | undefined {
  if (typeof exported === 'function') {
    return 'its default export does not extend Job, so it is no job type'
  }
  if (exported instanceof Job) {
    return 'its default export is an object of a job class: export the class itself'
  }
  if (exported !== undefined) return undefined
  const named = all.find((one) => isJobClass(one) && Object.hasOwn(one, 'options'))
  return named === undefined
    ? undefined
    : `its job class ${(named as JobClass).name} is not the default export: write "export default class"`
}

/** Whatever a file threw while it was loaded. */
function saidBy(error: unknown): string {
  try {
    return String((error as Error)?.message ?? error)
  } catch {
    return 'it threw what cannot be read'
  }
}

/** Two files are two classes, whatever they are called. */
function isEdited(before: JobDefinition, after: JobDefinition): boolean {
  const isElsewhere =
    before.file !== undefined && after.file !== undefined && before.file !== after.file
  return before.Class.name === after.Class.name && !isElsewhere
}

function place(definition: JobDefinition): string {
  return definition.file ?? `class ${definition.Class.name}`
}
