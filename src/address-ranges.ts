/** Settings that list addresses and CIDR ranges, and what they come to. */
import { BlockList, isIP } from 'node:net'
import { z } from 'zod'

/** Addresses and CIDR ranges, separated by commas. */
export const addressRanges = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  )
  .refine((parts) => parts.every((part) => isRange(part)), 'must be addresses or CIDR ranges, separated by commas')

function isRange(text: string): boolean {
  const [address, bits, ...rest] = text.split('/')
  const family = isIP(address ?? '')
  if (family === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

/** What a list of addresses and ranges covers; undefined when it is empty. */
export function blockList(parts: readonly string[]): BlockList | undefined {
  if (parts.length === 0) return undefined
  const list = new BlockList()
  for (const range of parts) {
    const [address = '', bits] = range.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return list
}
