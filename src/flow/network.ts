/**
 * IP addresses and networks as numbers, without I/O: RFC 791, RFC 4291 section 2.2, RFC 4632 (CIDR). An IPv4-mapped
 * IPv6 address is the IPv4 address it stands for.
 *
 * Never: the lenient forms that parsers disagree about (octal or missing octets, zone ids); they are not addresses.
 */

/** An address; `value` is its 32 or 128 bits. */
export interface Address {
  readonly family: 4 | 6
  readonly value: bigint
}

/** A network, from its first to its last address. */
export interface Network {
  readonly family: 4 | 6
  readonly first: bigint
  readonly last: bigint
}

const octet = /^(0|[1-9][0-9]{0,2})$/
const group = /^[0-9A-Fa-f]{1,4}$/
const mappedPrefix = 0xffffn

/** Reads an address in text form; null when it is none. */
export function parseAddress(text: string): Address | null {
  const value = text.includes(':') ? parse6(text) : parse4(text)
  if (value === null) return null
  if (!text.includes(':')) return { family: 4, value }
  return value >> 32n === mappedPrefix ? { family: 4, value: value & 0xffffffffn } : { family: 6, value }
}

/** Reads `address/prefix`; null when it is no network. Bits beyond the prefix are ignored. */
export function parseNetwork(text: string): Network | null {
  const [base = '', prefix = '', ...rest] = text.split('/')
  const address = parseAddress(base)
  if (!address || rest.length > 0 || !octet.test(prefix)) return null
  const bits = address.family === 4 ? 32 : 128
  if (Number(prefix) > bits) return null
  const hosts = (1n << BigInt(bits - Number(prefix))) - 1n
  return { family: address.family, first: address.value & ~hosts, last: address.value | hosts }
}

/** Whether an address lies in a network. */
export function contains(network: Network, address: Address): boolean {
  return network.family === address.family && network.first <= address.value && address.value <= network.last
}

/** An address in text form, IPv6 without abbreviation. */
export function formatAddress({ family, value }: Address): string {
  const [parts, width, radix] = family === 4 ? [4, 8n, 10] : [8, 16n, 16]
  const digits: string[] = []
  for (let index = parts - 1; index >= 0; index--) {
    digits.push(((value >> (BigInt(index) * width)) & ((1n << width) - 1n)).toString(radix))
  }
  return digits.join(family === 4 ? '.' : ':')
}

function parse4(text: string): bigint | null {
  const octets = text.split('.')
  if (octets.length !== 4 || !octets.every((part) => octet.test(part) && Number(part) <= 255)) return null
  return octets.reduce((value, part) => (value << 8n) | BigInt(part), 0n)
}

function parse6(text: string): bigint | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const [head, tail] = [groups(halves[0] ?? '', halves.length === 1), groups(halves[1] ?? '', true)]
  if (!head || !tail) return null
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null
  const all = [...head, ...Array<bigint>(missing).fill(0n), ...tail]
  return all.reduce((value, part) => (value << 16n) | part, 0n)
}

/** The 16-bit groups of one half; only the end of an address may be written as IPv4. */
function groups(text: string, isEnd: boolean): bigint[] | null {
  if (text === '') return []
  const parts = text.split(':')
  const last = parts.at(-1) ?? ''
  const embedded = isEnd && last.includes('.') ? parse4(last) : null
  const plain = embedded === null ? parts : parts.slice(0, -1)
  if (!plain.every((part) => group.test(part))) return null
  const values = plain.map((part) => BigInt(`0x${part}`))
  return embedded === null ? values : [...values, embedded >> 16n, embedded & 0xffffn]
}

/** The first and last address of a network and their neighbours outside: between edges the result cannot change. */
export function edges({ family, first, last }: Network): string[] {
  const end = family === 4 ? 1n << 32n : 1n << 128n
  return [first - 1n, first, last, last + 1n]
    .filter((value) => value >= 0n && value < end)
    .map((value) => formatAddress({ family, value }))
}
