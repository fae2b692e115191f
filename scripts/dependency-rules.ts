/**
 * The rules for dependencies (docs/decisions/2026-11-22-dependencies.md), judged over the manifests and the lock as
 * plain data. Never: the network, the disk or the clock; `scripts/check-deps.ts` brings what is judged.
 */

/** What the rules read of a package.json. */
export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** One entry of package-lock.json (lockfileVersion 3); its key is the path it is installed at. */
export interface LockedPackage extends Manifest {
  readonly version?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly license?: string
  readonly hasInstallScript?: boolean
  readonly link?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** The packages of a lock by the path they are installed at; '' is the root package. */
export type LockedPackages = Readonly<Record<string, LockedPackage>>

/** Licences a package that runs in production may have, by their SPDX names. */
const allowedLicences = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  '0BSD',
  'BlueOak-1.0.0',
])

/** Tools whose install script is never run, since installs ignore all of them, with why they work without it. */
const toolsWithoutTheirScript: Readonly<Record<string, string>> = {
  esbuild: 'its script only puts the binary, which comes as a package of its own, in the place of a launcher',
}

/** How old a release must be before it is used: most bad releases are found and withdrawn within days. */
export const minimumAgeDays = 7

/** The name of the package installed at `path`: the part after the last `node_modules/`. */
export const packageName = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 13)

const isThirdParty = (path: string, { link }: LockedPackage): boolean => path.startsWith('node_modules/') && !link

/** Where Node finds `name` when `from` asks for it: the nearest enclosing node_modules that has it. */
function resolve(packages: LockedPackages, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))) {
    const path = `${folder}${folder ? '/' : ''}node_modules/${name}`
    if (packages[path]) return path
    if (!folder) return undefined
  }
}

/** The paths of everything the root package's runtime and optional dependencies bring along, for every platform. */
export function productionTree(packages: LockedPackages): ReadonlySet<string> {
  const reached = new Set<string>()
  const visit = (from: string, names: readonly string[]): void => {
    for (const name of names) {
      const path = resolve(packages, from, name)
      const entry = path === undefined ? undefined : packages[path]
      if (path === undefined || !entry || reached.has(path)) continue
      reached.add(path)
      const { dependencies, optionalDependencies, peerDependencies } = entry
      visit(path, Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }))
    }
  }
  const root = packages['']
  visit('', Object.keys({ ...root?.dependencies, ...root?.optionalDependencies }))
  return reached
}

/** How many packages of the tree one machine runs; a binary for one platform belongs to the package that picks it. */
export const productionCount = (packages: LockedPackages): number =>
  [...productionTree(packages)].filter((path) => !packages[path]?.os && !packages[path]?.cpu).length

/** Whether an SPDX expression leaves a choice of allowed licences: one side of OR, both sides of AND. */
export const isAllowedLicence = (expression: string | undefined): boolean =>
  (expression ?? '')
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((licence) => allowedLicences.has(licence)))

/** Each reason stands on a line of its own: "- `name`: why". */
export function reasonsIn(decision: string): ReadonlySet<string> {
  return new Set([...decision.matchAll(/^- `([^`]+)`: \S.{20,}$/gm)].map(([, name]) => name ?? ''))
}

/** Names without an exact version in a manifest: anything that could install as something else tomorrow. */
export function checkExactVersions(file: string, manifest: Manifest): readonly string[] {
  const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }
  return Object.entries(all)
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${file}: ${name} is "${version}"; write the exact version`)
}

/** Every direct dependency that ships has its reason, and no reason outlives its dependency. */
export function checkReasons(root: Manifest, reasons: ReadonlySet<string>): readonly string[] {
  const direct = Object.keys({ ...root.dependencies, ...root.optionalDependencies })
  return [
    ...direct.filter((name) => !reasons.has(name)).map((name) => `${name} has no line of reason in the decision`),
    ...[...reasons]
      .filter((name) => !direct.includes(name))
      .map((name) => `${name} has a line of reason but is no dependency: remove the line`),
  ]
}

/**
 * The lock: fixed by integrity, naming no registry's host, nothing that runs code when it is installed, but for tools
 * that do not ship and work without it.
 */
export function checkLock(packages: LockedPackages): readonly string[] {
  const ships = productionTree(packages)
  const mayHaveScript = (path: string) => !ships.has(path) && Object.hasOwn(toolsWithoutTheirScript, packageName(path))
  return Object.entries(packages)
    .filter(([path, entry]) => isThirdParty(path, entry))
    .flatMap(([path, { integrity, resolved, hasInstallScript }]) => [
      ...(integrity ? [] : [`${path} has no integrity in the lock`]),
      ...(resolved ? [`${path} names a host in the lock; install with the .npmrc of this repository`] : []),
      ...(hasInstallScript && !mayHaveScript(path) ? [`${path} has an install script`] : []),
    ])
}

/** Licences of everything that ships. */
export function checkLicences(packages: LockedPackages): readonly string[] {
  return [...productionTree(packages)]
    .filter((path) => !isAllowedLicence(packages[path]?.license))
    .map((path) => `${path} has the licence ${packages[path]?.license ?? '(none named)'}, which is not on the list`)
}

/** `name@version` of every package in `next` that `previous` does not hold in that version. */
export function changedReleases(previous: LockedPackages, next: LockedPackages): readonly string[] {
  const releases = (packages: LockedPackages): ReadonlySet<string> =>
    new Set(
      Object.entries(packages)
        .filter(([path, entry]) => isThirdParty(path, entry))
        .map(([path, { version }]) => `${packageName(path)}@${version}`),
    )
  return [...releases(next).difference(releases(previous))]
}

/**
 * Whether a release has waited long enough.
 * @param publishedAt ISO 8601, from the registry
 * @param now epoch milliseconds
 */
export function checkAge(release: string, publishedAt: string, now: number): readonly string[] {
  const days = (now - Date.parse(publishedAt)) / 86_400_000
  return days >= minimumAgeDays
    ? []
    : [`${release} is ${days.toFixed(1)} days old; releases younger than ${minimumAgeDays} days wait`]
}
