import string from '@adonisjs/core/helpers/string'
import { E_INVALID_OPTION } from '../errors.ts'
import type { JobClass } from './job.ts'
import { checkName } from './names.ts'

/**
 * The registered name of a job class: what its options say, else the class name in snake case.
 */
export function typeName(Class: JobClass): string {
  /** The language calls a class so that is exported as default and has no name. */
  if (Class.options?.name === undefined && ['', 'default'].includes(Class.name)) {
    throw new E_INVALID_OPTION(['name', 'is needed where a class has no name of its own'])
  }
  return checkName(Class.options?.name ?? string.snakeCase(Class.name), 'name')
}
