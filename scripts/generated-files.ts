/** What is generated from the code, as path -> content: the contract and the reference pages. */
import { permissions } from '../src/access/permissions.ts'
import { roles } from '../src/access/roles.ts'
import { settings } from '../src/settings.ts'
import { openApiDocument } from '../src/contract/openapi.ts'
import type { Operation } from '../src/contract/operation.ts'
import { catalog } from '../src/errors/catalog.ts'
import { events } from '../src/events/catalog.ts'
import { mediaTypes } from '../src/flow/media-types.ts'
import { allOperations } from '../src/http/operations.ts'

const operations = await allOperations()

const notice = (source: string) => `<!-- Generated from ${source} by \`npm run generate\`. Do not edit. -->\n`

/** Every generated file. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const described = operations.filter((operation) => operation.tag !== 'Pages')
  return new Map([
    ['openapi.json', `${JSON.stringify(openApiDocument(described), null, 1)}\n`],
    ['docs/reference/errors.md', errorsPage()],
    ['docs/reference/settings.md', settingsPage()],
    ['docs/reference/events.md', eventsPage()],
    ['docs/reference/roles.md', rolesPage()],
    ['docs/reference/flow-actions.md', flowActionsPage()],
    ['docs/reference/api.md', apiPage(described)],
  ])
}

function errorsPage(): string {
  const rows = Object.entries(catalog).map(
    ([key, entry]) =>
      `## ${key}\n\n| | |\n|---|---|\n| Status | ${entry.status} |\n| \`code\` | \`${entry.code}\` |\n| OAuth \`error\` | \`${entry.oauth}\` |\n| Message | ${entry.message} |\n\n**Cause.** ${entry.cause}\n\n**Fix.** ${entry.fix}\n`,
  )
  return `${notice('src/errors/catalog.ts')}
# Errors

Every answer that refuses something is one of these. The authentication and management APIs answer with PingOne's body
(\`id\`, \`code\`, \`message\`, \`details\`), the OAuth endpoints with \`error\` and \`error_description\`. The correlation
id stands in the header \`Correlation-Id\`, in the body and in the log.

${rows.join('\n')}`
}

function settingsPage(): string {
  const rows = Object.entries(settings).map(([name, setting]) => {
    const file = 'file' in setting ? ` Also \`${name}_FILE\`: a file that holds it.` : ''
    return `| \`${name}\` | ${setting.default} | ${setting.meaning}${file} |`
  })
  return `${notice('src/config.ts')}
# Settings

Settings are read from the environment of the process. A wrong one stops the start with exit code 78 and a sentence that
says what to set.

| name | default | meaning |
|---|---|---|
${rows.join('\n')}
`
}

function eventsPage(): string {
  const rows = Object.entries(events).map(([action, kind]) => `| \`${action}\` | ${kind} |`)
  return `${notice('src/events/catalog.ts')}
# Audit events

*Change* events are written in the commit of the change they record: neither exists without the other. *Volume* events go
through a buffer that is flushed each second, so a killed process may lose the last second of them.

| action | kind |
|---|---|
${rows.join('\n')}
`
}

function rolesPage(): string {
  const sections = roles.map(
    (role) =>
      `## ${role.name}\n\n${role.description} Assignable at: ${role.applicableTo.join(', ')}.\n\n${[...role.permissions].map((id) => `- \`${id}\`: ${permissions[id]}`).join('\n')}\n`,
  )
  return `${notice('src/access/roles.ts')}
# Roles

A role assignment gives an application or a user the permissions of a role at an organization, an environment or a
population. Nobody can assign what they do not hold themselves at the same or a broader scope.

${sections.join('\n')}`
}

function flowActionsPage(): string {
  const rows = mediaTypes().map(({ name, body, secrets, statuses }) => {
    const members = Object.entries(body.shape).map(
      ([member, schema]) =>
        `\`${member}\`${(schema as { isOptional(): boolean }).isOptional() ? '' : ' (required)'}${secrets.includes(member) ? ', secret' : ''}`,
    )
    return `| \`application/vnd.pingidentity.${name}+json\` | ${members.join('; ') || 'none'} | ${statuses.map((status) => `\`${status}\``).join(', ')} |`
  })
  return `${notice('src/flow/actions')}
# Flow actions

A flow is read by \`GET {authUrl}/{environmentId}/flows/{flowId}\` and acted on by \`POST\` to the same address. The media
type names the action; \`+json\` may be left out. The links of a flow name exactly the actions its status allows.

| media type | members of the body | allowed in |
|---|---|---|
${rows.join('\n')}
`
}

function apiPage(described: readonly Operation[]): string {
  const tags = [...new Set(described.map((operation) => operation.tag))]
  const sections = tags.map((tag) => {
    const rows = described
      .filter((operation) => operation.tag === tag)
      .map((operation) => {
        const { permission } = operation
        const needs =
          permission.kind === 'role'
            ? `\`${permission.permission}\``
            : permission.kind === 'bearer'
              ? 'a token'
              : 'nothing'
        const media = operation.mediaTypes ? `<br>\`${operation.mediaTypes.join('`, `')}\`` : ''
        const mark = operation.extension ? ' *(extension)*' : ''
        return `| \`${operation.method} ${operation.path}\`${media} | ${operation.summary}${mark} | ${needs} | ${operation.source} |`
      })
    return `## ${tag}\n\n| operation | what it does | needs | source |\n|---|---|---|---|\n${rows.join('\n')}\n`
  })
  return `${notice('the declarations of the operations')}
# API

Every operation, from its declaration. The full schemas are in [openapi.json](../../openapi.json), also served at
\`GET /v1/openapi.json\`. *Extension* marks what PingOne does not have.

${sections.join('\n')}`
}
