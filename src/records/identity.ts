import { randomInt } from 'node:crypto'
import type { Db } from './dialect/db.ts'
import type { Shape } from './dialect/session.ts'
import type { Ledger } from './ledger.ts'

const META: Shape = {
  table: { name: 'queuedeck_meta', key: ['name'] },
  columns: [
    { name: 'name', type: 'short' },
    { name: 'value', type: 'big' },
  ],
  existing: 'ignore',
}

/**
 * What tells this database from every other: a number that the first mirror gives it. Two applications with one prefix and a
 * database each are found by it.
 */
export class Identity {
  constructor(
    private db: Pick<Db, 'all'>,
    private ledger: Ledger
  ) {}

  /**
   * Null where no mirror has looked at the database yet.
   *
   * @throws E_DATABASE_UNAVAILABLE
   */
  async read(): Promise<string | null> {
    const [row] = await this.db.all(`select value from queuedeck_meta where name = 'identity'`)
    return row ? String(row.value) : null
  }

  /**
   * The same, given now where there was none.
   *
   * @throws E_DATABASE_UNAVAILABLE
   */
  async make(): Promise<string> {
    const known = await this.read()
    if (known !== null) return known
    await this.ledger.transaction('the database was not given a number', (session) =>
      session.put(META, [['identity', randomInt(1, 2 ** 47)]])
    )
    return (await this.read())!
  }
}
