import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './ports.ts'
import { PrivateServer } from './private_server.ts'
import {
  answersPostgres,
  asNobody,
  findProgram,
  isRoot,
  NOBODY,
  postgresServer,
  temporaryFolder,
} from './servers.ts'

/**
 * A PgBouncer in front of the PostgreSQL that tests share. Its two connections to a database are dealt out anew for each transaction, or
 * stay with whoever came first.
 */
export async function pooler(mode: 'transaction' | 'session'): Promise<PrivateServer> {
  const program = findProgram('pgbouncer')
  if (program === undefined) throw new Error('PgBouncer (pgbouncer) is not installed')
  const { host, port: behind } = await postgresServer()
  const directory = await temporaryFolder('pgbouncer')
  const port = await freePort()
  const settings = join(directory, 'pgbouncer.ini')
  const lines = [
    '[databases]',
    `* = host=${host} port=${behind} user=postgres`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    `pool_mode = ${mode}`,
    `default_pool_size = ${mode === 'transaction' ? 2 : 10}`,
  ]
  await writeFile(settings, lines.join('\n'))
  if (isRoot) await Promise.all([directory, settings].map((path) => chown(path, NOBODY, NOBODY)))
  const [command, ...args] = [...asNobody, program, settings]
  return new PrivateServer({
    name: 'PgBouncer',
    port,
    url: `postgres://postgres@127.0.0.1:${port}`,
    directory,
    command,
    args,
    isReady: () => answersPostgres(port),
    stopSignal: 'SIGINT',
    killSignal: 'SIGKILL',
  }).start()
}
