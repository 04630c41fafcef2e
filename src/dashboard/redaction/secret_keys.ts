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
 * Decides whether the value under a key is a secret. `token` hides `access_token` and `csrfToken`, but a whole number
 * under `tokens` or `maxTokens` is a count of tokens, as every text-processing job has it.
 */
export class SecretKeys {
  #more: Set<string>

  constructor(more: readonly string[] = []) {
    this.#more = new Set(more.map(normalise))
  }

  has(key: string, valueIsNumber = false): boolean {
    const name = normalise(key)
    if (this.#more.has(name) || EXACT.has(name)) return true
    if (name.endsWith('token')) return true
    if (name.endsWith('tokens')) return !valueIsNumber
    return PARTS.some((part) => name.includes(part))
  }
}

function normalise(key: string): string {
  return key
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[-_\s.]/g, '')
}
