import { stdSerializers, type Logger } from '@adonisjs/core/logger'

/** Where pino keeps how a logger writes down what it is given; its documentation names the symbol as its interface. */
const SERIALIZERS = Symbol.for('pino.serializers')

type Serializers = { [SERIALIZERS]?: { err?: (error: Error) => object } }

/** What ioredis notes on an error that Redis answered: the command, with all that was sent. */
type OfRedis = { command?: { name?: string; args?: unknown } }

/**
 * A logger that writes errors as the application's own does, but leaves out what was sent to Redis: that may be its password, or the payload
 * of a job.
 */
export function withoutWhatWasSent(logger: Logger): Logger {
  const own = (logger.pino as Serializers)[SERIALIZERS]?.err ?? stdSerializers.err
  return logger.child(
    {},
    {
      serializers: {
        err(error: Error) {
          forgetWhatWasSent(error)
          return own(error)
        },
      },
    }
  )
}

/**
 * Takes away what was sent to Redis from an error that it answered; the command's name stays.
 */
export function forgetWhatWasSent(error: unknown): void {
  const { command } = (error ?? {}) as OfRedis
  if (command?.args !== undefined) (error as OfRedis).command = { name: command.name }
}
