/**
 * Keys whose values are secrets wherever they stand. Compared after dropping case, `-`, `_` and spaces.
 */
const EXACT = new Set([
  'auth',
  'pwd',
  'pass',
  'pin',
  'otp',
  'totp',
  'mfacode',
  'cvv',
  'cvc',
  'cvv2',
  'ssn',
  'jwt',
  'cookie',
  'cookies',
  'setcookie',
  'sessionid',
  'sid',
  'iban',
  'bearer',
  'cardnumber',
  'creditcard',
  'connectionstring',
  'databaseurl',
  'redisurl',
  'dsn',
])

/**
 * Parts that make any key a secret one: `userPassword`, `x-api-key`, `aws_secret_access_key`.
 */
const PARTS = [
  'password',
  'passwd',
  'passphrase',
  'passcode',
  'secret',
  'apikey',
  'accesskey',
  'privatekey',
  'signingkey',
  'encryptionkey',
  'authorization',
  'credential',
  'storagekey',
  'servicekey',
]

/**
 * Last words that make a key a secret one: `DB_PASS`, `x-auth`, `userPin`. Within a word they say nothing: `compass`, `spin`.
 */
const LAST_WORDS = new Set(['pass', 'pwd', 'auth', 'pin', 'otp', 'jwt', 'cookie', 'cookies', 'dsn'])

/** Answers that are remembered, and the longest key of one. */
const MOST_KNOWN = 5_000
const LONGEST_KNOWN = 100

/**
 * Decides whether the value under a key is a secret. `token` hides `access_token` and `csrfToken`, but a whole number
 * under `tokens` or `maxTokens` is a count of tokens, as every text-processing job has it.
 */
export class SecretKeys {
  #more: Set<string>
  /** What was decided before: documents repeat their keys. */
  #known = new Map<string, boolean>()

  constructor(more: readonly string[] = []) {
    this.#more = new Set(more.map(normalise))
  }

  has(key: string, valueIsNumber = false): boolean {
    const question = valueIsNumber ? `#${key}` : `"${key}`
    const known = this.#known.get(question)
    if (known !== undefined) return known
    const isSecret = this.#decide(key, valueIsNumber)
    if (this.#known.size >= MOST_KNOWN) this.#known.clear()
    if (key.length <= LONGEST_KNOWN) this.#known.set(question, isSecret)
    return isSecret
  }

  #decide(key: string, valueIsNumber: boolean): boolean {
    const name = normalise(key)
    if (this.#more.has(name) || EXACT.has(name)) return true
    /** `token2` is the second of them. */
    const kind = name.replace(/\d+$/, '')
    if (kind.endsWith('token')) return true
    if (kind.endsWith('tokens')) return !valueIsNumber
    if (LAST_WORDS.has(normalise(lastWord(key)))) return true
    return PARTS.some((part) => name.includes(part))
  }
}

function lastWord(key: string): string {
  return key
    .split(/[-_\s.]+|(?<=[a-z])(?=[A-Z])/)
    .at(-1)!
    .replace(/\d+$/, '')
}

function normalise(key: string): string {
  return key
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[-_\s.]/g, '')
}
