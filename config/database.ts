import env from '#start/env'
import app from '@adonisjs/core/services/app'
import { defineConfig } from '@adonisjs/lucid'

const server = (port: number, user: string) => ({
  host: env.get('DB_HOST') ?? '127.0.0.1',
  port: env.get('DB_PORT') ?? port,
  user: env.get('DB_USER') ?? user,
  password: env.get('DB_PASSWORD') ?? '',
  database: env.get('DB_DATABASE') ?? 'queuedeck',
})

export default defineConfig({
  connection: env.get('DB_CONNECTION') ?? 'sqlite',
  connections: {
    sqlite: {
      client: 'better-sqlite3',
      connection: {
        filename: env.get('DB_DATABASE') ?? app.makePath('.queuedeck/queuedeck.sqlite'),
      },
      useNullAsDefault: true,
      migrations: { naturalSort: true, paths: ['database/migrations'] },
      schemaGeneration: { enabled: false },
    },
    pg: {
      client: 'pg',
      connection: server(5432, 'postgres'),
      migrations: { naturalSort: true, paths: ['database/migrations'] },
      schemaGeneration: { enabled: false },
    },
    mysql: {
      client: 'mysql2',
      connection: server(3306, 'root'),
      migrations: { naturalSort: true, paths: ['database/migrations'] },
      schemaGeneration: { enabled: false },
    },
  },
})
