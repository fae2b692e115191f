/**
 * A user as claims are made from them: the attributes that mappings may name (`environment/attribute-mapping.ts`), and
 * what has to be looked up for some of them. Groups are read only where a mapping wants them.
 */
import { groupNamesOf } from '../../directory/groups.ts'
import type { User, UserDocument } from '../../directory/users.ts'
import type { AttributeNeed, ReadAttribute } from '../../environment/attribute-mapping.ts'
import type { Kernel } from '../../kernel.ts'

/** A user, as far as claims are made from them. */
export interface ClaimSource {
  readonly userId: string
  readonly username: string
  readonly populationId: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly document: UserDocument
}

/** A user of the directory as a source of claims. */
export function claimSource({ id, username, populationId, createdAt, updatedAt, document }: User): ClaimSource {
  return { userId: id, username, populationId, createdAt, updatedAt, document }
}

/** Looks up what some values need, and gives what reads the attributes of the user. */
export async function attributesOf(
  kernel: Pick<Kernel, 'storage'>,
  environmentId: string,
  source: ClaimSource,
  needs: ReadonlySet<AttributeNeed>,
): Promise<ReadAttribute> {
  if (!needs.has('groups')) return reader(source, [])
  const { userId, username, populationId, document } = source
  const filtered = { ...document, id: userId, username, population: { id: populationId }, enabled: true }
  return reader(source, await groupNamesOf(kernel, environmentId, userId, filtered))
}

function reader(source: ClaimSource, groups: readonly { readonly id: string; readonly name: string }[]): ReadAttribute {
  const { document } = source
  return (path) => {
    switch (path) {
      case 'id':
        return source.userId
      case 'username':
        return source.username
      case 'population.id':
        return source.populationId
      case 'createdAt':
        return new Date(source.createdAt).toISOString()
      case 'updatedAt':
        return new Date(source.updatedAt).toISOString()
      case 'verifyStatus':
        return document.verifyStatus ?? 'NOT_INITIATED'
      case 'name.formatted':
        return formattedName(document)
      case 'address.formatted':
        return formattedAddress(document)
      case 'memberOfGroupIDs':
        return groups.map(({ id }) => id)
      case 'memberOfGroupNames':
        return groups.map(({ name }) => name)
      default:
        return walk(document, path.split('.'))
    }
  }
}

function walk(value: unknown, [member, ...rest]: readonly string[]): unknown {
  if (member === undefined) return value
  const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, member)
  return isObject ? walk((value as Readonly<Record<string, unknown>>)[member], rest) : undefined
}

function formattedName({ name }: UserDocument): string | undefined {
  return name?.formatted ?? (name?.given && name.family ? `${name.given} ${name.family}` : undefined)
}

/** The full address in lines, as on an envelope (OpenID Connect Core section 5.1.1). */
function formattedAddress({ address }: UserDocument): string | undefined {
  if (!address) return undefined
  const { streetAddress, locality, region, postalCode, countryCode } = address
  const town = [postalCode, locality, region].filter((part) => part !== undefined).join(' ')
  const lines = [streetAddress, town, countryCode].filter((line) => line !== undefined && line !== '')
  return lines.length > 0 ? lines.join('\n') : undefined
}
