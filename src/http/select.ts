/**
 * Which operation of a path a request means: by method, then by media type, matched without regard to case, parameters or
 * `+json` (decision D5). 405 with `Allow`, 415, and the answers a flow gives to what is no action.
 */
import type { FastifyRequest } from 'fastify'
import { canonicalMediaType, foreignCharset } from '../contract/media-type.ts'
import type { Operation, Surface } from '../contract/operation.ts'
import { type Problem, problem } from '../errors/problem.ts'

/** The methods of a path, as the `Allow` header lists them. */
export function allowedMethods(group: readonly Operation[]): string {
  return [...new Set(group.map((operation) => operation.method))].join(', ')
}

/** Finds the operation of a request by method and media type. */
export function selectOperation(group: readonly Operation[], request: FastifyRequest): Operation {
  const candidates = group.filter((operation) => operation.method === request.method)
  const first = candidates[0]
  if (!first) throw problem('METHOD_NOT_ALLOWED', { headers: { allow: allowedMethods(group) } })
  if (!first.body && candidates.length === 1 && !first.mediaTypes) return first
  const contentType = request.headers['content-type']
  const mediaType = canonicalMediaType(contentType)
  const empty = (request.body as Buffer | undefined)?.length === undefined || (request.body as Buffer).length === 0
  const operation = candidates.find((candidate) => accepts(candidate, mediaType, contentType === undefined && empty))
  if (!operation || foreignCharset(contentType)) throw wrongMediaType(first.surface, request)
  return operation
}

/** The failure of a Content-Type that selects nothing. Decision D5: on a flow, it is an unknown action. */
export function wrongMediaType(surface: Surface, { headers }: FastifyRequest): Problem {
  const isAction = surface === 'flow' && headers.authorization === undefined
  return isAction ? unknownAction() : problem('UNSUPPORTED_MEDIA_TYPE')
}

function accepts(operation: Operation, mediaType: string | undefined, nothingSent: boolean): boolean {
  if (operation.mediaTypes) {
    return mediaType !== undefined && operation.mediaTypes.some((own) => canonicalMediaType(own) === mediaType)
  }
  if (nothingSent) return true
  if (operation.body?.kind === 'form') return mediaType === 'application/x-www-form-urlencoded'
  return mediaType === 'application/json' || mediaType === 'application/hal'
}

function unknownAction(): Problem {
  return problem('UNKNOWN_ACTION', {
    details: [
      {
        code: 'INVALID_TOKEN',
        target: 'Authentication Credentials',
        message: 'The authorization token is either missing or invalid, or it has expired.',
      },
    ],
  })
}
