import { toJson } from '../dashboard/redaction/json_text.ts'

/** What a command with `--json` answers where it failed. */
export function failureOf(error: unknown) {
  const { message, code, field } = error as { message?: string; code?: string; field?: string }
  return {
    errors: [{ code: code ?? 'E_COMMAND_FAILED', message: message ?? String(error), field }],
  }
}

export function print(value: unknown): void {
  process.stdout.write(`${toJson(value)}\n`)
}
