/**
 * The `claims` parameter: claims asked for one by one, in the ID token or from userinfo. OpenID Connect Core section 5.5;
 * row A36. What is asked for here is still no more than the application's scopes may bring.
 *
 * Never: a member of the request used as the name of a member of ours; a request that costs more than a few comparisons.
 */

/** A value that a claim may be asked to have. */
export type ClaimValue = string | number | boolean

/** A claim that is asked for by itself. */
export interface RequestedClaim {
  readonly name: string
  readonly essential: boolean
  /** The values it may have; left out where any will do. */
  readonly values?: readonly ClaimValue[]
}

/** What a `claims` parameter asks for. */
export interface ClaimsRequest {
  readonly idToken: readonly RequestedClaim[]
  readonly userinfo: readonly RequestedClaim[]
}

const longestText = 8192
const mostClaims = 50
const mostValues = 20
const longestName = 100
const longestValue = 512
const deepest = 6

interface Refused {
  readonly refused: string
}

/** Reads a `claims` parameter, or says what is wrong with it. Members that nobody has defined are ignored. */
export function readClaimsRequest(text: string): ClaimsRequest | Refused {
  const request = text.length > longestText ? undefined : objectIn(text)
  if (!request) return { refused: 'claims is no JSON object, too long or too deep' }
  const idToken = readMember(request, 'id_token')
  if ('refused' in idToken) return idToken
  const userinfo = readMember(request, 'userinfo')
  if ('refused' in userinfo) return userinfo
  if (idToken.claims.length + userinfo.claims.length > mostClaims) return { refused: 'claims asks for too many' }
  return { idToken: idToken.claims, userinfo: userinfo.claims }
}

type Members = Readonly<Record<string, unknown>>

function objectIn(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) && !isDeeper(value, deepest) ? value : undefined
  } catch {
    return undefined
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1))
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function own(members: Members, name: string): unknown {
  return Object.hasOwn(members, name) ? members[name] : undefined
}

function readMember(request: Members, name: string): { readonly claims: readonly RequestedClaim[] } | Refused {
  const member = own(request, name) ?? {}
  if (!isObject(member)) return { refused: `claims.${name} is no object` }
  const claims: RequestedClaim[] = []
  for (const [claim, wish] of Object.entries(member)) {
    if (claim.length > longestName) return { refused: `claims.${name} names a claim that is too long` }
    const read = readWish(claim, wish)
    if (!read) return { refused: `claims.${name} asks for a claim in a way that is not understood` }
    claims.push(read)
  }
  return { claims }
}

function readWish(name: string, wish: unknown): RequestedClaim | undefined {
  if (wish === null) return { name, essential: false }
  if (!isObject(wish)) return undefined
  const [essential = false, value, values] = ['essential', 'value', 'values'].map((member) => own(wish, member))
  if (typeof essential !== 'boolean') return undefined
  if (value === undefined && values === undefined) return { name, essential }
  const wanted = value === undefined ? values : [value]
  const isWellFormed =
    Array.isArray(wanted) && wanted.length > 0 && wanted.length <= mostValues && wanted.every(isValue)
  if (!isWellFormed || (value !== undefined && values !== undefined)) return undefined
  return { name, essential, values: wanted }
}

function isValue(value: unknown): value is ClaimValue {
  return typeof value === 'string' ? value.length <= longestValue : ['number', 'boolean'].includes(typeof value)
}

/** A claim of the ID token that is asked for with certain values. */
export function claimWithValues({ idToken }: ClaimsRequest, name: string): RequestedClaim | undefined {
  return idToken.find((claim) => claim.name === name && claim.values !== undefined)
}

/**
 * Which users may be signed on by what the `sub` claim is asked to be (section 5.5.1).
 * @returns undefined where anybody may
 */
export function wantedSubjects({ idToken, userinfo }: ClaimsRequest): readonly ClaimValue[] | undefined {
  const lists = [...idToken, ...userinfo].flatMap(({ name, values }) => (name === 'sub' && values ? [values] : []))
  const [first, ...others] = lists
  return first?.filter((value) => others.every((other) => other.includes(value)))
}
