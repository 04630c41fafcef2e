import { Env } from '@adonisjs/core/env'

/**
 * Whatever is unset gets a default that works from a fresh clone; `npm start` sets the ports of its private Redis here.
 */
export default await Env.create(new URL('../', import.meta.url), {
  NODE_ENV: Env.schema.enum.optional(['development', 'production', 'test'] as const),
  HOST: Env.schema.string.optional({ format: 'host' }),
  PORT: Env.schema.number.optional(),
  APP_KEY: Env.schema.secret.optional(),
  LOG_LEVEL: Env.schema.enum.optional([
    'fatal',
    'error',
    'warn',
    'info',
    'debug',
    'trace',
    'silent',
  ] as const),
  SESSION_DRIVER: Env.schema.enum.optional(['cookie', 'memory'] as const),

  REDIS_HOST: Env.schema.string.optional({ format: 'host' }),
  REDIS_PORT: Env.schema.number.optional(),
  REDIS_PASSWORD: Env.schema.string.optional(),

  PROVIDER_URL: Env.schema.string.optional({ format: 'url', tld: false }),
  PROVIDER_KEY: Env.schema.secret.optional(),
  PROVIDER_MODEL: Env.schema.string.optional(),
  PROVIDER_TIMEOUT: Env.schema.number.optional(),
  PROVIDER_INPUT_PRICE: Env.schema.number.optional(),
  PROVIDER_OUTPUT_PRICE: Env.schema.number.optional(),

  DB_CONNECTION: Env.schema.enum.optional(['sqlite', 'pg', 'mysql'] as const),
  DB_HOST: Env.schema.string.optional({ format: 'host' }),
  DB_PORT: Env.schema.number.optional(),
  DB_USER: Env.schema.string.optional(),
  DB_PASSWORD: Env.schema.string.optional(),
  DB_DATABASE: Env.schema.string.optional(),
})
