import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ROOT } from '#tests/helpers/app'

type Manifest = { devDependencies: Record<string, string> }

/** Files of this repository's application that a fresh one of the web starter kit has alike. */
const ALIKE = [
  'bin/console.ts',
  'bin/server.ts',
  'config/app.ts',
  'config/bodyparser.ts',
  'config/database.ts',
  'config/encryption.ts',
  'config/hash.ts',
  'config/logger.ts',
  'config/redis.ts',
  'config/session.ts',
  'config/shield.ts',
  'start/env.ts',
  'app/middleware/container_bindings_middleware.ts',
]

const read = (path: string) => readFileSync(fileURLToPath(new URL(path, ROOT)), 'utf8')

/**
 * The files of a fresh AdonisJS application with accounts: basic auth on a table of users.
 *
 * @param tarball  What `npm pack` made of this package.
 */
export function hostFiles(tarball: string): Record<string, string> {
  return {
    ...Object.fromEntries(ALIKE.map((path) => [path, read(path)])),
    /** Migrations where this host keeps them. */
    'config/database.ts': read('config/database.ts').replaceAll(
      'database/migrations',
      'database/tables'
    ),
    'ace.js': ACE,
    'app/exceptions/handler.ts': HANDLER,
    'bin/several.ts': SEVERAL,
    'package.json': JSON.stringify(manifest(tarball), null, 2),
    'tsconfig.json': TSCONFIG,
    'adonisrc.ts': ADONISRC,
    'start/kernel.ts': KERNEL,
    'start/routes.ts': ROUTES,
    'config/auth.ts': AUTH_CONFIG,
    'app/middleware/auth_middleware.ts': AUTH_MIDDLEWARE,
    'app/models/user.ts': USER,
    'database/tables/1700000000000_create_users_table.ts': USERS_TABLE,
  }
}

function manifest(tarball: string) {
  const { devDependencies } = JSON.parse(read('package.json')) as Manifest
  const asHere = (...names: string[]) =>
    Object.fromEntries(names.map((name) => [name, devDependencies[name]]))
  return {
    name: 'host',
    private: true,
    type: 'module',
    imports: {
      '#config/*': './config/*.ts',
      '#start/*': './start/*.ts',
      '#jobs/*': './app/jobs/*.ts',
      '#models/*': './app/models/*.ts',
      '#middleware/*': './app/middleware/*.ts',
      '#exceptions/*': './app/exceptions/*.ts',
    },
    dependencies: {
      ...asHere('@adonisjs/core', '@adonisjs/lucid', '@adonisjs/redis', '@adonisjs/session'),
      ...asHere('@adonisjs/shield', '@vinejs/vine', 'better-sqlite3', 'edge.js', 'luxon'),
      ...asHere('reflect-metadata'),
      '@adonisjs/auth': '~10.1.0',
      'adonis-queuedeck': `file:${tarball}`,
    },
    devDependencies: {
      ...asHere('@adonisjs/assembler', '@adonisjs/tsconfig', '@poppinss/ts-exec', 'typescript'),
      ...asHere('@types/luxon', '@types/node', '@types/better-sqlite3', 'pino-pretty'),
    },
    // As in this repository: a prebuilt binary of msgpackr-extract, no build.
    overrides: { 'msgpackr-extract': '3.0.4' },
  }
}

const ACE = `import '@poppinss/ts-exec'

await import('./bin/console.ts')
`

const HANDLER = `import app from '@adonisjs/core/services/app'
import { ExceptionHandler } from '@adonisjs/core/http'

export default class HttpExceptionHandler extends ExceptionHandler {
  protected debug = !app.inProduction
}
`

/** Runs Ace commands one after the other in one process: a list of their words as JSON. */
const SEVERAL = `import 'reflect-metadata'
import { Ignitor } from '@adonisjs/core'

const root = new URL('../', import.meta.url)
const app = new Ignitor(root, {
  importer: (path) => import(path.startsWith('.') ? new URL(path, root).href : path),
}).createApp('console')
app.booting(async () => {
  await import('#start/env')
})
await app.init()
await app.boot()
await app.start(() => {})
const ace = await app.container.make('ace')
await ace.boot()
for (const [name, ...args] of JSON.parse(process.argv[2]!) as [string, ...string[]][]) {
  const { exitCode, error } = await ace.exec(name, args)
  if (exitCode) throw error ?? new Error(name + ' ended with ' + exitCode)
}
await app.terminate()
`

const TSCONFIG = `{
  "extends": "@adonisjs/tsconfig/tsconfig.app.json",
  "compilerOptions": { "rootDir": "./", "outDir": "./build" }
}
`

const ADONISRC = `import { defineConfig } from '@adonisjs/core/app'

export default defineConfig({
  commands: [() => import('@adonisjs/core/commands'), () => import('@adonisjs/lucid/commands')],
  providers: [
    () => import('@adonisjs/core/providers/app_provider'),
    () => import('@adonisjs/core/providers/hash_provider'),
    () => import('@adonisjs/core/providers/vinejs_provider'),
    () => import('@adonisjs/core/providers/edge_provider'),
    () => import('@adonisjs/session/session_provider'),
    () => import('@adonisjs/shield/shield_provider'),
    () => import('@adonisjs/lucid/database_provider'),
    () => import('@adonisjs/auth/auth_provider'),
    () => import('@adonisjs/redis/redis_provider'),
  ],
  preloads: [() => import('#start/routes'), () => import('#start/kernel')],
})
`

const KERNEL = `import router from '@adonisjs/core/services/router'
import server from '@adonisjs/core/services/server'

server.errorHandler(() => import('#exceptions/handler'))
server.use([() => import('#middleware/container_bindings_middleware')])
router.use([
  () => import('@adonisjs/core/bodyparser_middleware'),
  () => import('@adonisjs/session/session_middleware'),
  () => import('@adonisjs/shield/shield_middleware'),
  () => import('@adonisjs/auth/initialize_auth_middleware'),
])

export const middleware = router.named({
  auth: () => import('#middleware/auth_middleware'),
})
`

const ROUTES = `import router from '@adonisjs/core/services/router'

router.get('/', () => 'host')
`

const AUTH_CONFIG = `import { defineConfig } from '@adonisjs/auth'
import { basicAuthGuard, basicAuthUserProvider } from '@adonisjs/auth/basic_auth'
import type { InferAuthenticators } from '@adonisjs/auth/types'

const authConfig = defineConfig({
  default: 'basic',
  guards: {
    basic: basicAuthGuard({
      provider: basicAuthUserProvider({ model: () => import('#models/user') }),
    }),
  },
})

export default authConfig

declare module '@adonisjs/auth/types' {
  export interface Authenticators extends InferAuthenticators<typeof authConfig> {}
}
`

const AUTH_MIDDLEWARE = `import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'

export default class AuthMiddleware {
  async handle(ctx: HttpContext, next: NextFn) {
    await ctx.auth.authenticateUsing(['basic'])
    return next()
  }
}
`

const USER = `import hash from '@adonisjs/core/services/hash'
import { compose } from '@adonisjs/core/helpers'
import { BaseModel, column } from '@adonisjs/lucid/orm'
import { withAuthFinder } from '@adonisjs/auth/mixins/lucid'

const AuthFinder = withAuthFinder(() => hash.use('scrypt'), {
  uids: ['email'],
  passwordColumnName: 'password',
})

export default class User extends compose(BaseModel, AuthFinder) {
  @column({ isPrimary: true })
  declare id: number

  @column()
  declare email: string

  @column({ serializeAs: null })
  declare password: string

  @column({ consume: Boolean })
  declare isAdmin: boolean
}
`

const USERS_TABLE = `import hash from '@adonisjs/core/services/hash'
import { BaseSchema } from '@adonisjs/lucid/schema'

export default class extends BaseSchema {
  async up() {
    this.schema.createTable('users', (table) => {
      table.increments('id')
      table.string('email').notNullable().unique()
      table.string('password').notNullable()
      table.boolean('is_admin').notNullable()
    })
    this.defer(async (db) => {
      const password = await hash.make('correct horse')
      await db.table('users').multiInsert([
        { email: 'ada@example.com', password, is_admin: true },
        { email: 'bob@example.com', password, is_admin: false },
      ])
    })
  }

  async down() {
    this.schema.dropTable('users')
  }
}
`
