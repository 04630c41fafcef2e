import { bytes, duration, type Clock } from './format.ts'

/** Height of what is drawn, and width before it is stretched, in the units of the drawing. */
export const PLOT = { width: 600, height: 128 }

/** Length of a value that stands alone. */
const DASH = 7

/** Lines above the base, and labels below. */
const LINES = 3
const TICKS = 4

export type AxisTick = { at: number; label: string }

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Distances of lines that people read well. */
const DURATIONS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 20].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 20].map((count) => count * MINUTE),
  ...[1, 2, 4, 8, 24, 48, 120, 240].map((count) => count * HOUR),
]

/**
 * A scale from 0 to at least the largest value: lines at distances that people read well.
 */
export class Scale {
  readonly top: number
  readonly lines: AxisTick[]

  private constructor(step: number, label: (value: number) => string) {
    this.top = step * LINES
    this.lines = Array.from({ length: LINES + 1 }, (_, index) => ({
      at: this.y(step * index),
      label: index === 0 ? '0' : label(step * index),
    }))
  }

  /** Of numbers, such as jobs a minute. */
  static numbers(most: number): Scale {
    const rough = Math.max(most, 0.3) / LINES
    const power = 10 ** Math.floor(Math.log10(rough))
    const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough * 0.9999)!
    const decimals = step < 1 ? Math.ceil(-Math.log10(step)) : 0
    const label = (value: number) =>
      value < 10_000
        ? value.toLocaleString('en-US', { maximumFractionDigits: decimals })
        : `${value / 1_000}k`
    return new Scale(step, label)
  }

  /** Of milliseconds. */
  static durations(most: number): Scale {
    const step =
      DURATIONS.find((each) => each * LINES >= most) ?? Math.ceil(most / LINES / HOUR) * HOUR
    return new Scale(step, shortDuration)
  }

  /** Of shares from 0 to 1. */
  static shares(): Scale {
    return new Scale(1 / LINES, (value) => `${Math.round(value * 100)} %`)
  }

  /** Of bytes. */
  static bytes(most: number): Scale {
    const rough = Math.max(most, LINES) / LINES
    const power = 10 ** Math.floor(Math.log10(rough))
    const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough * 0.9999)!
    return new Scale(step, (value) => bytes(value).replace('.0 ', ' '))
  }

  y(value: number): number {
    return round(PLOT.height * (1 - value / this.top))
  }
}

/**
 * Labels below a chart: positions are shares of its width in percent.
 */
export function timeTicks(from: number, to: number, clock: Clock): AxisTick[] {
  const isLong = to - from > 48 * HOUR
  return Array.from({ length: TICKS + 1 }, (_, index) => {
    const at = from + ((to - from) * index) / TICKS
    return {
      at: (100 * index) / TICKS,
      label: isLong ? clock.day(at).slice(5) : clock.hourAndMinute(at),
    }
  })
}

/**
 * A line through values, one for each step; null leaves a gap. A value between two gaps is drawn as a dash.
 */
export function linePath(values: readonly (number | null)[], scale: Scale): string {
  let path = ''
  let isOpen = false
  for (const [index, value] of values.entries()) {
    if (value === null) {
      isOpen = false
      continue
    }
    const place = `${xOf(index, values.length)} ${scale.y(value)}`
    const next = values[index + 1]
    if (isOpen) path += `L${place}`
    else path += next === null || next === undefined ? dash(index, values, scale) : `M${place}`
    isOpen = true
  }
  return path
}

/** The same, filled down to the base. */
export function areaPath(values: readonly number[], scale: Scale): string {
  if (values.length === 0) return ''
  return `M0 ${PLOT.height}${linePath(values, scale).replace('M', 'L')}L${PLOT.width} ${PLOT.height}Z`
}

/** Ranges of a line with gaps, each filled down to the base. */
export function areaPaths(values: readonly (number | null)[], scale: Scale): string {
  let path = ''
  let from: number | null = null
  for (let index = 0; index <= values.length; index++) {
    const value = values[index] ?? null
    if (value !== null && from === null) {
      from = index
      path += `M${xOf(index, values.length)} ${PLOT.height}`
    }
    if (value !== null) path += `L${xOf(index, values.length)} ${scale.y(value)}`
    else if (from !== null) {
      path += `V${PLOT.height}Z`
      from = null
    }
  }
  return path
}

function dash(index: number, values: readonly (number | null)[], scale: Scale): string {
  const from = Math.min(Math.max(0, xOf(index, values.length) - DASH / 2), PLOT.width - DASH)
  return `M${round(from)} ${scale.y(values[index]!)}h${DASH}`
}

function xOf(index: number, count: number): number {
  return count < 2 ? PLOT.width : round((PLOT.width * index) / (count - 1))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** `200 ms`, `5 s`, `2 min`: whole units. */
function shortDuration(milliseconds: number): string {
  return milliseconds < MINUTE && milliseconds % SECOND === 0
    ? `${milliseconds / SECOND} s`
    : duration(milliseconds).replace('.0 s', ' s')
}
