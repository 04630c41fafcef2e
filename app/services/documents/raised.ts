const SIGNS = new Map([...'0123456789+-−n'].map((sign, at) => [sign, [...'⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ'][at]]))

/** Powers and marks of notes as signs of their own: 10 to the sixth is not 106. Other raised text stays as it is. */
export function raised(text: string): string {
  if (!/^ ?[+\-−]?[\dn]+ ?$/.test(text)) return text
  return text.replace(/./g, (sign) => SIGNS.get(sign) ?? sign)
}
