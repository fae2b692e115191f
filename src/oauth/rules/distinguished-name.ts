/**
 * PURE: distinguished names as administrators write them (RFC 4514), held against those in certificates (RFC 8705 section
 * 2.1.2). Values are compared as they are: what an administrator means is what `openssl x509 -subject -nameopt RFC2253`
 * prints, and nobody gains by a name that merely looks alike.
 *
 * Never: a name that says less than the whole subject, or in another order.
 */

/** One attribute: its type as `typeOf` writes it, and its value. */
type Attribute = readonly [type: string, value: string]

/** A name: sets of attributes, in the order of RFC 4514, the most specific first. */
export type DistinguishedName = readonly (readonly Attribute[])[]

/** Types by the names that tools give them. RFC 4514 section 3, RFC 4519, and what financial-grade certificates hold. */
const objectIdentifiers: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  SN: '2.5.4.4',
  SURNAME: '2.5.4.4',
  SERIALNUMBER: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  S: '2.5.4.8',
  STREET: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  T: '2.5.4.12',
  TITLE: '2.5.4.12',
  BUSINESSCATEGORY: '2.5.4.15',
  POSTALCODE: '2.5.4.17',
  G: '2.5.4.42',
  GN: '2.5.4.42',
  GIVENNAME: '2.5.4.42',
  I: '2.5.4.43',
  INITIALS: '2.5.4.43',
  ORGANIZATIONIDENTIFIER: '2.5.4.97',
  DC: '0.9.2342.19200300.100.1.25',
  UID: '0.9.2342.19200300.100.1.1',
  E: '1.2.840.113549.1.9.1',
  EMAIL: '1.2.840.113549.1.9.1',
  EMAILADDRESS: '1.2.840.113549.1.9.1',
  JURISDICTIONC: '1.3.6.1.4.1.311.60.2.1.3',
  JURISDICTIONCOUNTRYNAME: '1.3.6.1.4.1.311.60.2.1.3',
}

/** The object identifier of a type; undefined for a name that nobody knows. */
function typeOf(type: string): string | undefined {
  if (/^\d+(?:\.\d+)+$/.test(type)) return type
  const name = type.toUpperCase()
  return Object.hasOwn(objectIdentifiers, name) ? objectIdentifiers[name] : undefined
}

/** `type=value`, with the separator behind it: RFC 4514 section 3, blanks around separators forgiven (RFC 2253). */
const attributeAndSeparator =
  /\s*([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)\s*=\s*((?:\\[0-9A-Fa-f]{2}|\\[^0-9A-Fa-f]|[^\\,+;"<>])*)([,+]|$)/y

/** Reads a name as it is written; undefined when it is none. */
export function parseDistinguishedName(text: string): DistinguishedName | undefined {
  const name: Attribute[][] = [[]]
  attributeAndSeparator.lastIndex = 0
  for (;;) {
    const match = attributeAndSeparator.exec(text)
    const type = match && typeOf(match[1] as string)
    const value = match && valueOf(match[2] as string)
    if (!type || !value) return undefined
    name.at(-1)?.push([type, value])
    if (match[3] === '') return name
    if (match[3] === ',') name.push([])
  }
}

/** The value that is meant; undefined when it is empty, or escaped in no known way. */
function valueOf(written: string): string | undefined {
  // A blank at the end that is escaped stands for itself.
  const trimmed = written.replace(/(?<!\\)((?:\\\\)*)\s+$/, '$1')
  if (trimmed.startsWith('#')) return encodedValue(trimmed.slice(1))
  // All in one go: what an escape stands for may be a backslash, and begins no other.
  const value = trimmed.replaceAll(/(?:\\[0-9A-Fa-f]{2})+|\\([^0-9A-Fa-f])/g, (run, character?: string) =>
    character === undefined ? Buffer.from(run.replaceAll('\\', ''), 'hex').toString('utf8') : character,
  )
  return value === '' ? undefined : value
}

/** A text in DER (UTF8String, PrintableString, IA5String), as tools write values of types they do not know. */
function encodedValue(hex: string): string | undefined {
  const [tag, length, ...octets] = Buffer.from(hex, 'hex')
  const isText = tag === 0x0c || tag === 0x13 || tag === 0x16
  if (!isText || octets.length === 0 || octets.length !== length || hex.length !== 2 * (length + 2)) return undefined
  return Buffer.from(octets).toString('utf8')
}

/**
 * A name from a certificate.
 * @param names its sets of attributes in the order of the certificate, the least specific first
 * @returns undefined when a type is not known
 */
export function nameOfCertificate(
  names: readonly Readonly<Record<string, readonly string[]>>[],
): DistinguishedName | undefined {
  const name: Attribute[][] = []
  for (const set of names.toReversed()) {
    const attributes: Attribute[] = []
    for (const [written, values] of Object.entries(set)) {
      const type = typeOf(written)
      if (type === undefined) return undefined
      attributes.push(...values.map((value): Attribute => [type, value]))
    }
    name.push(attributes)
  }
  return name
}

/** Whether two names are the same; the order within a set does not count. */
export function isSameName(left: DistinguishedName, right: DistinguishedName): boolean {
  return canonical(left) === canonical(right)
}

function canonical(name: DistinguishedName): string {
  return JSON.stringify(name.map((set) => set.map((attribute) => JSON.stringify(attribute)).toSorted()))
}
