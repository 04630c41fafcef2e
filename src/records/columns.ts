/**
 * Types of columns are abstract; each dialect has its word for them. Moments are `big`: epoch milliseconds, UTC.
 */
export type ColumnType =
  'seq' | 'uuid' | 'int' | 'small' | 'big' | 'name' | 'short' | 'text' | 'long'

export type Column = { name: string; type: ColumnType; null?: true; default?: number }

export const column = (
  name: string,
  type: ColumnType,
  rest: { null?: true; default?: number } = {}
): Column => ({
  name,
  type,
  ...rest,
})
