import vine from '@vinejs/vine'

/**
 * The overlap of chunks: below their size, or no chunk would bring anything new.
 */
export const belowSize = vine.createRule((value: unknown, _options: undefined, field) => {
  const size = (field.parent as { size?: unknown }).size
  if (typeof value === 'number' && typeof size === 'number' && value >= size) {
    field.report(`The overlap ${value} must be below the size ${size}`, 'belowSize', field)
  }
})
