/**
 * What the forms of one word have in common, so that `parse`, `parsed` and `parsing` count as one. Cautious: a few endings of
 * English, and only of words that are long enough.
 */
export function stemOf(word: string): string {
  let stem = word.toLowerCase().replace(/['’]s?$/, '')
  stem = withoutPlural(stem)
  if (stem.length > 6) stem = stem.replace(/(?<=[ts])ions?$/, '').replace(/(?<=at)or$/, '')
  if (stem.length > 6 && stem.endsWith('ing')) stem = undoubled(stem.slice(0, -3))
  else if (stem.length > 5 && /[^e]ed$/.test(stem)) stem = undoubled(stem.slice(0, -2))
  return stem.length > 4 ? stem.replace(/e$/, '') : stem
}

function withoutPlural(word: string): string {
  if (word.length < 4 || !word.endsWith('s') || /(ss|us|is|[^aeiou]as|os)$/.test(word)) return word
  if (word.endsWith('ies') && word.length > 4) return `${word.slice(0, -3)}y`
  if (/(ss|x|ch|sh|zz)es$/.test(word)) return word.slice(0, -2)
  return word.slice(0, -1)
}

/** `logg` of `logging` is `log`; `pass` and `call` stay. */
function undoubled(stem: string): string {
  return /([bdgmnprt])\1$/.test(stem) ? stem.slice(0, -1) : stem
}
