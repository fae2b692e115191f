/**
 * PURE: distinguished names as people write them (RFC 4514): `CN=Tokens, O=Example, C=US`. The parts of a key rotation
 * policy's `dn` become subject and issuer of its certificates. Parts without a value are left out, as PingOne's own
 * examples have some. Never: a part of a kind that a certificate of ours may not carry; a name that says nothing.
 */
import type { NamePart } from './certificate.ts'

const types: readonly NamePart[0][] = ['C', 'ST', 'L', 'O', 'OU', 'CN']
/** Upper bounds of X.520, as RFC 5280 appendix A.1 has them. */
const longest: Readonly<Record<NamePart[0], number>> = { C: 2, ST: 128, L: 128, O: 64, OU: 64, CN: 64 }
const part = /^\s*([A-Za-z]+)\s*=\s*((?:[^\\,]|\\.)*?)\s*$/u

/**
 * Reads a distinguished name.
 * @returns its parts, in their order, or what is wrong with it
 */
export function parseDistinguishedName(text: string): readonly NamePart[] | { readonly refused: string } {
  const parts: NamePart[] = []
  for (const written of text.split(/(?<=(?<!\\)(?:\\\\)*),/)) {
    const [, name = '', value = ''] = part.exec(written) ?? []
    const type = types.find((candidate) => candidate === name.toUpperCase())
    if (!type) return { refused: `must consist of ${types.join(', ')}, each with = and a value` }
    const plain = value.replaceAll(/\\(.)/gu, '$1')
    if (plain === '') continue
    if (plain.length > longest[type])
      return { refused: `must not have more than ${longest[type]} characters in ${type}` }
    if (/\p{Cc}/u.test(plain)) return { refused: 'must not hold control characters' }
    if (type === 'C' && !/^[A-Za-z]{2}$/.test(plain)) return { refused: 'must name a country by two letters' }
    parts.push([type, plain])
  }
  return parts.length === 0 ? { refused: 'must name something' } : parts
}
