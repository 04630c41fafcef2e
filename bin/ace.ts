/*
 * `npm run ace -- queue:jobs`: an Ace command against the servers that `npm start` has started from this folder.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { DataFolder } from './start/data_folder.ts'
import { readSettings, ROOT } from './start/settings.ts'

const settings = readSettings()
const running = new DataFolder(settings.folder).running()

const ace = spawn(process.execPath, [join(ROOT, 'ace.js'), ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: {
    ...settings.variables,
    ...(running && !settings.redis
      ? {
          REDIS_HOST: running.redis.host,
          REDIS_PORT: String(running.redis.port),
          REDIS_PASSWORD: running.redis.password,
        }
      : {}),
  },
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ace.kill(signal))
ace.once('exit', (code) => (process.exitCode = code ?? 1))
