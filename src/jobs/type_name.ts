import string from '@adonisjs/core/helpers/string'
import type { JobClass } from './job.ts'
import { checkName } from './names.ts'

/**
 * The registered name of a job class: what its options say, else the class name in snake case.
 */
export function typeName(Class: JobClass): string {
  return checkName(Class.options?.name ?? string.snakeCase(Class.name), 'name')
}
