/**
 * The built-in roles (platform-api 3.21). Clients look them up by name; their ids are constants of Stile. A role is a
 * set of permissions and the kinds of scope it may be assigned at.
 */
import { type PermissionId, permissions } from './permissions.ts'

/** Where a role assignment holds. */
export type ScopeType = 'ORGANIZATION' | 'ENVIRONMENT' | 'POPULATION'

/** A built-in role. */
export interface Role {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly applicableTo: readonly ScopeType[]
  readonly permissions: ReadonlySet<PermissionId>
}

const all = Object.keys(permissions) as PermissionId[]
const reading = (id: PermissionId) => id.split(':')[1] === 'read' && !id.endsWith(':secret')
const of =
  (...services: string[]) =>
  (id: PermissionId) =>
    services.includes(id.split(':')[0] as string)
const pick = (test: (id: PermissionId) => boolean) => new Set(all.filter(test))

const services = 'passwords applications resources signon idps notifications mfa agreements languages certmgt branding'
const ofService = of(...services.split(' '))
/** What belongs to single users is data, whatever service it stands in. */
const userDevices = (id: PermissionId) => id.endsWith(':userDevice') || id.endsWith(':deviceAuthentication')
const configuration = (id: PermissionId) => ofService(id) && !userDevices(id)
const populations = (id: PermissionId) => id.endsWith(':population')
const groups = (id: PermissionId) => id.endsWith(':group') || id.endsWith(':groupMembership')
const applicationRoles = (id: PermissionId) => id.endsWith(':applicationRoleAssignments')
const userRoles = (id: PermissionId) => id.endsWith(':userRoleAssignments') || id.endsWith(':groupRoleAssignments')

export const roles: readonly Role[] = [
  {
    id: '4e1d4c2b-7a0f-4c51-9a86-0d6a1f2f7b01',
    name: 'Organization Admin',
    description: 'Manages the environments of an organization and who administers them.',
    applicableTo: ['ORGANIZATION'],
    permissions: pick((id) => of('orgmgt')(id) || applicationRoles(id) || userRoles(id)),
  },
  {
    id: '8c0e4b53-2f3d-4d0e-8b67-61b7e7a1c202',
    name: 'Environment Admin',
    description: 'Manages the configuration of an environment.',
    applicableTo: ['ORGANIZATION', 'ENVIRONMENT'],
    permissions: pick(
      (id) =>
        configuration(id) ||
        populations(id) ||
        applicationRoles(id) ||
        userRoles(id) ||
        (of('orgmgt')(id) && id !== 'orgmgt:create:environment') ||
        (groups(id) && reading(id)) ||
        id === 'idm:read:user',
    ),
  },
  {
    id: 'b3f1a6d4-95c8-4b7e-a2d5-3c9e8f4d0303',
    name: 'Identity Data Admin',
    description: 'Manages users, their passwords, devices and populations.',
    applicableTo: ['ENVIRONMENT', 'POPULATION'],
    permissions: pick(
      (id) =>
        of('idm')(id) ||
        userRoles(id) ||
        userDevices(id) ||
        id === 'passwords:read:passwordPolicy' ||
        id === 'mfa:read:deviceAuthenticationPolicy' ||
        id === 'agreements:read:agreement' ||
        id === 'orgmgt:read:environment',
    ),
  },
  {
    id: 'd75a2c90-1b6e-4f83-9e4c-7f0b5a6e1404',
    name: 'Client Application Developer',
    description: 'Manages applications and their grants.',
    applicableTo: ['ORGANIZATION', 'ENVIRONMENT'],
    permissions: pick(
      (id) =>
        of('applications')(id) || (of('resources', 'signon')(id) && reading(id)) || id === 'orgmgt:read:environment',
    ),
  },
  {
    id: '2a9c6e17-84d3-4e5b-b1f0-5d8e7c3a2505',
    name: 'Identity Data Read Only',
    description: 'Reads users and populations.',
    applicableTo: ['ENVIRONMENT', 'POPULATION'],
    permissions: pick((id) => ((of('idm')(id) || userDevices(id)) && reading(id)) || id === 'orgmgt:read:environment'),
  },
  {
    id: '6f84d0b2-3e7a-4a19-8d52-e1b9c5f7a606',
    name: 'Configuration Read Only',
    description: 'Reads the configuration of an environment, without secrets.',
    applicableTo: ['ORGANIZATION', 'ENVIRONMENT'],
    permissions: pick((id) => reading(id) && !of('idm')(id) && !userDevices(id)),
  },
]

const byId = new Map(roles.map((role) => [role.id, role]))

/** The built-in role with this id. */
export function roleById(id: string): Role | undefined {
  return byId.get(id)
}

/** The built-in role with this name. Throws when there is none: the name is a constant of the code. */
export function roleNamed(name: string): Role {
  const role = roles.find((candidate) => candidate.name === name)
  if (!role) throw new Error(`no role is named ${name}`)
  return role
}
