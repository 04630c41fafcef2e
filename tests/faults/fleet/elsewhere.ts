/*
 * Makes a process look as if it ran on a machine of its own, loaded before its script: `FLEET_HOST` is that machine's name,
 * `FLEET_CLOCK` how far its wall clock is off, ms. Each SIGUSR2 sets that clock back by an hour. What runs by the process' own
 * time (timers, performance.now) does not jump, as on a real machine.
 */
import os from 'node:os'
import { syncBuiltinESMExports } from 'node:module'

const { FLEET_HOST, FLEET_CLOCK = '0' } = process.env
let offset = Number(FLEET_CLOCK)

if (FLEET_HOST) {
  os.hostname = () => FLEET_HOST
  syncBuiltinESMExports()
}

const RealDate = Date
const shifted = (moment: [] | unknown[]) =>
  moment.length === 0 ? [RealDate.now() + offset] : moment
globalThis.Date = new Proxy(RealDate, {
  construct: (target, moment, self) => Reflect.construct(target, shifted(moment), self),
  apply: () => new Date().toString(),
  get: (target, name, self) =>
    name === 'now' ? () => RealDate.now() + offset : Reflect.get(target, name, self),
})

process.on('SIGUSR2', () => (offset -= 3_600_000))
