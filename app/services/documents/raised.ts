const SIGNS = new Map([...'0123456789+-−n'].map((sign, at) => [sign, [...'⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ'][at]]))

/** Powers and marks of notes as signs of their own: 10 to the sixth is not 106. Other raised text stays as it is. */
export function raised(text: string): string {
  if (!/^ ?[+\-−]?[\dn]+ ?$/.test(text)) return text
  return text.replace(/./g, (sign) => SIGNS.get(sign) ?? sign)
}

/** The base of a number, behind its digits: 1010 to the base 2 is not 10102. Behind letters lowered digits stay as they are: H2O. */
export function lowered(text: string, before: string): string {
  if (!/^ ?\d+ ?$/.test(text) || !/\d$/.test(before)) return text
  return text.replace(/\d/g, (digit) => '₀₁₂₃₄₅₆₇₈₉'[Number(digit)])
}
