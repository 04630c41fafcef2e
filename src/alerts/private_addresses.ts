import { BlockList, isIPv6 } from 'node:net'

/** Everything that is not the public internet, by the registries of special addresses (RFC 6890 and its successors). */
const SPECIAL_V4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const

/** Of what is global unicast: protocol assignments with Teredo, documentation, 6to4 (which carries any IPv4 address). */
const SPECIAL_V6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const

const blockedV4 = new BlockList()
for (const [network, prefix] of SPECIAL_V4) blockedV4.addSubnet(network, prefix, 'ipv4')

const blockedV6 = new BlockList()
for (const [network, prefix] of SPECIAL_V6) blockedV6.addSubnet(network, prefix, 'ipv6')

const globalV6 = new BlockList()
globalV6.addSubnet('2000::', 3, 'ipv6')

/** IPv4 addresses in the clothes of IPv6: mapped, and translated by NAT64. */
const carriers = new BlockList()
carriers.addSubnet('::ffff:0:0', 96, 'ipv6')
carriers.addSubnet('64:ff9b::', 96, 'ipv6')

/**
 * Whether an address belongs to this machine, a private or local network, or is otherwise no public host. Of IPv6 only global unicast is
 * public.
 */
export function isPrivateAddress(address: string): boolean {
  if (!isIPv6(address)) return blockedV4.check(address, 'ipv4')
  const embedded = embeddedV4(address)
  if (embedded !== null) return blockedV4.check(embedded, 'ipv4')
  return !globalV6.check(address, 'ipv6') || blockedV6.check(address, 'ipv6')
}

function embeddedV4(address: string): string | null {
  if (!carriers.check(address, 'ipv6')) return null
  /** The parser of addresses writes the last four bytes as two groups, however they were given. */
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split(':')
  const [high, low] = groups.slice(-2).map((group) => Number.parseInt(group || '0', 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}
