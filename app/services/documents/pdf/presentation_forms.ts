/** Ligatures, and letters by their place in a word, which Unicode has for old encodings only (its blocks FB00, FB50 and FE70). */
const FORMS = /[\ufb00-\ufb4f\ufb50-\ufdff\ufe70-\ufefc]/g

/**
 * A text with plain letters in place of such forms, in the order of reading: a form may stand for several letters.
 */
export function withoutForms(text: string): string {
  return text.replace(FORMS, (form) => form.normalize('NFKC').trim())
}
