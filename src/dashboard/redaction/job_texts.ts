import { cutText } from '../../cut_text.ts'
import { Mask, secretsOf, type Redaction } from './redact.ts'
import type { Body } from '../../records/reader_types.ts'
import type { JobError, JobView } from '../../types.ts'
import type { SecretKeys } from './secret_keys.ts'
import { REDACTED } from './written_secrets.ts'

/**
 * Every string of a JSON text; one with the second group is a key. Takes each string whole, whatever follows it and even when nothing
 * closes it, because looking for another beginning within it takes quadratic time.
 */
const STRING = /"((?:[^"\\]|\\.?)*)(?:"(\s*:)?|$)/gs
const PREVIEW_LENGTH = 160
const REMEMBERED = 5_000
/** Of a secret whose name is a value. */
const LONGEST_NAME = 60

/**
 * What tells a payload from all others: a BullMQ id, and the record's with it, may be used again once the job is deleted. Where its record
 * is still there, that is the record's next run, with another payload.
 */
type Told = Pick<JobView, 'id' | 'createdAt' | 'run'>
type Shown = Told & Pick<JobView, 'sensitive'>

/**
 * What may be shown of one job: its texts with the secrets of its own payload masked wherever they are quoted, or
 * nothing at all when it was dispatched as sensitive.
 */
export class JobText {
  #mask: Mask

  constructor(
    /** Start of the payload on one line; null without a payload, or for a sensitive job. */
    public readonly preview: string | null,
    mask: Mask,
    private sensitive: boolean
  ) {
    this.#mask = mask
  }

  /** A stage, reason or log line. */
  line(text: string): string {
    return this.sensitive && text !== '' ? REDACTED : this.#mask.text(text)
  }

  maybe(text: string | null): string | null {
    return text === null ? null : this.line(text)
  }

  /** The code of an error is our vocabulary and stays. */
  error(error: JobError | null): JobError | null {
    if (!error) return null
    return {
      code: error.code,
      message: this.line(error.message),
      stack: this.maybe(error.stack ?? null),
    }
  }

  /** A JSON text as it is stored. */
  json(stored: string): Redaction {
    if (this.sensitive) return { pieces: null, text: JSON.stringify(REDACTED), secrets: [] }
    return this.#mask.json(stored)
  }
}

/**
 * Makes and remembers `JobText`s. The payload of a run never changes, so that live pages look into it once.
 */
export class JobTexts {
  #remembered = new Map<string, { told: Told; text: JobText }>()
  #keys: SecretKeys
  #body: (id: string) => Promise<Body | null>

  constructor(keys: SecretKeys, body: (id: string) => Promise<Body | null>) {
    this.#keys = keys
    this.#body = body
  }

  /**
   * Texts of many jobs. A job without a stored payload gets one that hides by pattern only.
   */
  async forJobs(views: Shown[]): Promise<Map<string, JobText>> {
    const texts = new Map<string, JobText>()
    await Promise.all(
      views.map(async (view) => {
        const { id, sensitive } = view
        texts.set(id, this.known(view) ?? this.make(view, sensitive ? null : await this.#body(id)))
      })
    )
    return texts
  }

  /**
   * The text of a job whose body cannot be read while the database is away: nothing that it wrote is shown then.
   */
  async forJob(view: Shown): Promise<JobText> {
    try {
      return (await this.forJobs([view])).get(view.id)!
    } catch (error) {
      if ((error as { status?: number }).status !== 503) throw error
      return new JobText(null, new Mask([], this.#keys), true)
    }
  }

  /**
   * For a job whose body is at hand: its result's secrets are masked too.
   */
  make({ id, createdAt, run, sensitive }: Shown, body: Body | null): JobText {
    const secrets = new Set<string>()
    for (const text of [body?.payload, body?.options, body?.result]) {
      if (text && this.#mayHold(text))
        for (const secret of secretsOf(text, this.#keys)) secrets.add(secret)
    }
    const mask = new Mask(secrets, this.#keys)
    const preview = sensitive || !body?.payload ? null : this.#preview(body.payload, secrets, mask)
    const made = new JobText(preview, mask, sensitive)
    // A record can begin without its payload, which comes later.
    if (sensitive || body?.payload) this.#remember({ id, createdAt, run }, made)
    return made
  }

  /** What was made before; null when this process has not looked into this run of the job. */
  known({ id, createdAt, run }: Told): JobText | null {
    const { told, text } = this.#remembered.get(id) ?? {}
    return text && told?.createdAt === createdAt && told.run === run ? text : null
  }

  /**
   * A quick look for secret keys, which may be values (`"name": "Authorization"`), so that a megabyte without secrets is not taken apart to
   * show its first words.
   */
  #mayHold(text: string): boolean {
    for (const [, key, colon] of text.matchAll(STRING)) {
      if (!colon && key.length > LONGEST_NAME) continue
      if (this.#keys.has(key.includes('\\') ? unescape(key) : key)) return true
    }
    return false
  }

  #preview(payload: string, secrets: Set<string>, mask: Mask): string {
    const text =
      secrets.size > 0 || this.#mayHold(payload)
        ? mask.json(payload).text
        : mask.text(payload.slice(0, 1_000))
    return cutText(text.slice(0, 1_000).replace(/\s+/g, ' '), PREVIEW_LENGTH)
  }

  #remember(told: Told, text: JobText) {
    this.#remembered.delete(told.id)
    this.#remembered.set(told.id, { told, text })
    if (this.#remembered.size > REMEMBERED) {
      this.#remembered.delete(this.#remembered.keys().next().value!)
    }
  }
}

function unescape(key: string): string {
  try {
    return JSON.parse(`"${key}"`)
  } catch {
    return key
  }
}
