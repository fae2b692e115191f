/**
 * Reads src/ as the boundary test judges it: every file with its imports, and the circles among them. House style keeps
 * import statements regular (start of a line, single quotes), so regular expressions are enough to find them.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const src = join(import.meta.dirname, '..', 'src')

/** One import or re-export of a file. */
export interface Import {
  /** As written for a package or built-in module; for a file of src/ its path from there. */
  readonly target: string
  readonly isFile: boolean
  readonly typeOnly: boolean
  /** Whether it happens only when the code gets there. */
  readonly lazy: boolean
  /** The names as the target exports them; `default` and `*` for the other two forms. */
  readonly names: readonly string[]
}

/** One file of src/. */
export interface Source {
  readonly path: string
  /** The text without its comments. */
  readonly code: string
  readonly lines: number
  /** Whether it opens with a doc comment. */
  readonly header: boolean
  readonly imports: readonly Import[]
}

/** The text without its comments. Good enough for searching; strings are left as they are. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}

/** The values and types that the part between `import` and `from` names. */
function namesOf(clause: string): { readonly names: readonly string[]; readonly typeOnly: boolean } {
  const wholeType = /^type\s/.test(clause)
  const braces = /\{([^}]*)\}/.exec(clause)?.[1] ?? ''
  const listed = braces
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  const values = listed.filter((name) => !name.startsWith('type '))
  const rest = clause
    .replace(/^type\s/, '')
    .replace(/\{[^}]*\}/, '')
    .replaceAll(',', ' ')
    .trim()
  const others = rest === '' ? [] : [rest.startsWith('*') ? '*' : 'default']
  const typeOnly = wholeType || (listed.length > 0 && values.length === 0 && others.length === 0)
  return { names: [...others, ...values.map((name) => name.split(/ as |: /)[0]?.trim() ?? '')], typeOnly }
}

/** The imports of a file. House style keeps them regular: at the start of a line, in single quotes. */
function importsOf(path: string, code: string): readonly Import[] {
  const statements = code.matchAll(/^(?:import|export)\s+([^'"`;]*?)\s*\bfrom\s+'([^']+)'/gm)
  const bare = code.matchAll(/^import\s+'([^']+)'/gm)
  const dynamic = code.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)
  const builtIn = code.matchAll(/(?:^const (\{[^}]*\}) = process)?\.getBuiltinModule\(\s*'([^']+)'\s*\)/gm)
  const whole = { names: ['*'], typeOnly: false }
  const found = [
    ...[...statements].map(([, clause = '', target = '']) => ({ target, lazy: false, ...namesOf(clause) })),
    ...[...builtIn].map(([, braces = '*', target = '']) => ({ target, lazy: false, ...namesOf(braces) })),
    ...[...bare].map(([, target = '']) => ({ target, lazy: false, ...whole })),
    ...[...dynamic].map(([, target = '']) => ({ target, lazy: true, ...whole })),
  ]
  return found.map(({ target, ...rest }) => {
    const isFile = target.startsWith('.')
    return { target: isFile ? join(dirname(path), target) : target, isFile, ...rest }
  })
}

/** Every file of src/, by its path from there. */
export const sources: ReadonlyMap<string, Source> = new Map(
  readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .toSorted()
    .map((path) => {
      const text = readFileSync(join(src, path), 'utf8')
      const code = withoutComments(text)
      const lines = text.split('\n').length - 1
      return [path, { path, code, lines, header: text.startsWith('/**'), imports: importsOf(path, code) }]
    }),
)

/** What is loaded with a file before anything of it runs: files of src/ by path, packages and built-in modules by name. */
export function loadedWith(entry: string): ReadonlySet<string> {
  const loaded = new Set<string>()
  const visit = (target: string): void => {
    if (loaded.has(target)) return
    loaded.add(target)
    for (const imported of sources.get(target)?.imports ?? []) {
      if (!imported.typeOnly && !imported.lazy) visit(imported.target)
    }
  }
  visit(entry)
  return loaded
}

/** Every circle of imports, each once, as the files in order with the first one repeated at the end. */
export function circles(): readonly (readonly string[])[] {
  const found: string[][] = []
  const done = new Set<string>()
  const trail: string[] = []
  const visit = (path: string): void => {
    const start = trail.indexOf(path)
    if (start >= 0) found.push([...trail.slice(start), path])
    if (start >= 0 || done.has(path)) return
    trail.push(path)
    for (const { target, isFile } of sources.get(path)?.imports ?? []) if (isFile) visit(target)
    trail.pop()
    done.add(path)
  }
  for (const path of sources.keys()) visit(path)
  return found
}
