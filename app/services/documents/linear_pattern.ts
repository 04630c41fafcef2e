import { RE2JS } from 're2js'

/** Longest expression, in characters, and in instructions of the machine that matches it: each may cost time at each character. */
const LONGEST_PATTERN = 500
const LARGEST_PROGRAM = 600

/**
 * A line is looked at in parts so long that one takes some 50 ms at most, in UTF-16 units: by the size of the pattern, between these.
 */
const PART = { shortest: 1_024, longest: 65_536, instructions: 400_000 }

export type LinearPattern = {
  /** Longest text to look at without giving others a turn, in UTF-16 units. */
  longest: number
  /** Where matches that are not empty begin, ascending. */
  starts(line: string): Generator<number>
}

/**
 * Compiles an expression that a person wrote. It is matched in time linear in the text, whatever it is: RE2 does not go back,
 * so it knows no backreferences and no lookaround (https://github.com/google/re2/wiki/Syntax).
 *
 * @throws Error that says what is wrong and what to do
 */
export function linearPattern(source: string): LinearPattern {
  if (source.length > LONGEST_PATTERN) {
    throw new Error(
      `The pattern has ${source.length} characters; write one of at most ${LONGEST_PATTERN}, or several rules`
    )
  }
  const compiled = compile(source)
  if (compiled.matcher('').find()) {
    throw new Error(
      `The pattern "${source}" matches an empty text too, so it would cut everywhere; make it match one character at least`
    )
  }
  const size = compiled.programSize()
  if (size > LARGEST_PROGRAM) {
    throw new Error(
      `The pattern "${source}" is too large, ${size} steps of at most ${LARGEST_PROGRAM}: repeat less in it, or write several rules`
    )
  }
  return {
    longest: Math.min(PART.longest, Math.max(PART.shortest, Math.floor(PART.instructions / size))),
    *starts(line) {
      const matcher = compiled.matcher(line)
      while (matcher.find()) if (matcher.end() > matcher.start()) yield matcher.start()
    },
  }
}

function compile(source: string): RE2JS {
  try {
    return RE2JS.compile(source)
  } catch (cause) {
    const reason = (cause as Error).message.replace(/^error parsing regexp: /, '')
    throw new Error(
      `The pattern "${source}" cannot be used: ${reason}. Write it as RE2 has it, without lookaround and backreferences`,
      { cause }
    )
  }
}
